package signing_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

type revision = testpki.Revision

// later signs as the leader and appends what f does; sealed lets the agency sign on top.
func later(f func(r *revision)) func(*world) []byte {
	return func(w *world) []byte { return w.revise(w.one(), f) }
}

func sealed(f func(r *revision)) func(*world) []byte {
	return func(w *world) []byte { return w.seal(w.revise(w.one(), f)) }
}

// prepared does the same to a document that was prepared before the leader signed.
func prepared(before, after func(r *revision)) func(*world) []byte {
	return func(w *world) []byte {
		return w.revise(w.signPDF(w.revise(w.pdf(), before), testpki.PDFSignature{}), after)
	}
}

func preparedSealed(before, after func(r *revision)) func(*world) []byte {
	return func(w *world) []byte { return w.seal(prepared(before, after)(w)) }
}

func all(list ...func(r *revision)) func(r *revision) {
	return func(r *revision) {
		for _, f := range list {
			f(r)
		}
	}
}

const (
	numberMark = "BT /H 11 Tf 1 0 0 1 110 780 Tm (So: 123/STN-VP) Tj ET"
	helvetica  = "<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>"
)

// names gives the catalog one more name tree.
func names(r *revision, format string, args ...any) {
	body := regexp.MustCompile(`/Names <<\s*/EmbeddedFiles <<[^>]*>>`).ReplaceAll(r.Object(r.Root()), []byte("/Names <<"))
	if !bytes.Contains(body, []byte("/Names <<")) {
		r.Set(r.Root(), body)
		r.Insert(r.Root(), "/Names << >>")
		body = r.Object(r.Root())
	}
	r.Set(r.Root(), bytes.Replace(body, []byte("/Names <<"), fmt.Appendf(nil, "/Names << "+format, args...), 1))
}

// contents gives the number of page 1's content stream.
func contents(r *revision) int { return testpki.Ref(r.Object(r.Page()), "/Contents") }

// setContents gives page 1 a list of content streams.
func setContents(r *revision, list ...int) {
	var refs []string
	for _, n := range list {
		refs = append(refs, fmt.Sprintf("%d 0 R", n))
	}
	body := regexp.MustCompile(`/Contents (\d+ 0 R|\[[^\]]*\])`).ReplaceAll(r.Object(r.Page()), []byte("/Contents ["+strings.Join(refs, " ")+"]"))
	r.Set(r.Page(), body)
}

// wrapped appends content as most libraries do: "q" before the old, "Q" and the mark after it.
func wrapped(before, after string) func(r *revision) {
	return func(r *revision) {
		was := contents(r)
		setContents(r, r.Stream("", before), was, r.Stream("", after))
	}
}

// resource adds a named resource to the resources of page 1, wherever they are.
func resource(kind, name, value string) func(r *revision) {
	return func(r *revision) {
		n := testpki.Ref(r.Object(r.Page()), "/Resources")
		body := string(r.Object(n))
		entry := fmt.Sprintf("/%s %s", name, value)
		if i := strings.Index(body, "/"+kind+" <<"); i >= 0 {
			at := i + len("/"+kind+" <<")
			body = body[:at] + " " + entry + " " + body[at:]
			r.Set(n, []byte(body))
			return
		}
		r.Insert(n, "/%s << %s >>", kind, entry)
	}
}

func textField(r *revision, name, value string) int {
	n := r.Annotate(fmt.Sprintf("/Subtype /Widget /FT /Tx /T (%s) /Rect [60 700 200 715] /F 4 %s", name, value))
	if r.Form() == 0 {
		r.Insert(r.Root(), "/AcroForm %d 0 R", r.Add("<</SigFlags 3 /Fields []>>"))
	}
	r.Field(n)
	return n
}

func look(r *revision, draw string) int {
	return r.Stream("/Type /XObject /Subtype /Form /BBox [0 0 140 15]", draw)
}

// withField prepares an empty text field; fill gives it a value and a look.
func withField(r *revision) { textField(r, "so", "") }

func fieldOf(r *revision, name string) int {
	list := regexp.MustCompile(`/Fields \[([^\]]*)\]`).FindSubmatch(r.Object(r.Form()))
	for _, m := range regexp.MustCompile(`(\d+) 0 R`).FindAllSubmatch(list[1], -1) {
		n := firstNumber(m[1], "")
		if bytes.Contains(r.Object(n), []byte("/T ("+name+")")) {
			return n
		}
	}
	return 0
}

func fill(r *revision) {
	r.Insert(fieldOf(r, "so"), "/V (123) /AP <</N %d 0 R>>", look(r, "BT (123) Tj ET"))
}

// again writes every object of the document anew, byte for byte.
func again(r *revision) {
	for n := 1; n < 200; n++ {
		body := r.Object(n)
		if body != nil && !bytes.Contains(body, []byte("/ByteRange")) && !bytes.Contains(body, []byte("/Type /XRef")) {
			r.Set(n, body)
		}
	}
}

// lockedBy signs a document with two text fields as a signature that locks, by its /Reference or by the /Lock of its field.
func lockedBy(reference, lock string) func(w *world) []byte {
	return func(w *world) []byte {
		pdf := w.revise(w.pdf(), func(r *revision) { textField(r, "so", ""); textField(r, "ngay", "") })
		s := testpki.PDFSignature{}
		if reference != "" {
			s.DocMDP, s.BendDict = 2, func(b []byte) []byte {
				return regexp.MustCompile(`/Reference \[<<.*>>\]`).ReplaceAllFunc(b, func(m []byte) []byte {
					return []byte((reference + strings.Repeat(" ", len(m)))[:len(m)])
				})
			}
		}
		if lock != "" {
			s.Field = "Ky) /Lock " + lock + " /TU (x"
		}
		return w.signPDF(pdf, s)
	}
}

// filledAfter fills the field "so" after a signature; the agency signs that.
func filledAfter(sign func(w *world) []byte) func(w *world) []byte {
	return func(w *world) []byte { return w.seal(w.revise(sign(w), fill)) }
}

// flagged is a signed document that was prepared so.
func flagged(prepare func(r *revision)) func(w *world) []byte {
	return func(w *world) []byte { return w.signPDF(w.revise(w.pdf(), prepare), testpki.PDFSignature{}) }
}

func embedded(r *revision, name, filter, data string) {
	n := r.Stream("/Type /EmbeddedFile "+filter, data)
	names(r, "/EmbeddedFiles <</Names [(a) %d 0 R]>>", r.Add("<</Type /Filespec /F (%s) /EF <</F %d 0 R>>>>", name, n))
}

var practiceCases = []pdfCase{
	// Locks.
	{name: "changed_after_signing_field_locked_all", make: filledAfter(lockedBy("/Reference [<</TransformMethod /FieldMDP /TransformParams <</Action /All>>>>]", "")),
		want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_field_locked_by_name", make: filledAfter(lockedBy("", "<</Type /SigFieldLock /Action /Include /Fields [(so)]>>")),
		want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_field_locked_but_others", make: filledAfter(lockedBy("", "<</Action /Exclude /Fields [(ngay)]>>")),
		want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_lock_with_permission_1", make: filledAfter(lockedBy("", "<</Action /Include /Fields [(khac)] /P 1>>")),
		want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "valid_other_field_locked", make: filledAfter(lockedBy("", "<</Action /Include /Fields [(ngay)]>>")), after: signing.AfterAdditions},
	{name: "valid_field_exempt_from_lock", make: filledAfter(lockedBy("", "<</Action /Exclude /Fields [(so)]>>")), after: signing.AfterAdditions},
	{name: "valid_locked_all_then_sealed", make: func(w *world) []byte { return w.seal(lockedBy("", "<</Action /All>>")(w)) }, after: signing.AfterSignatures},

	// Who vouches for what was added.
	{name: "additions_without_agency_second_leader_only", make: func(w *world) []byte {
		return w.signPDF(testpki.Stamp(w.one()), testpki.PDFSignature{})
	}, verdict: signing.Undetermined, want: signing.AdditionsByPerson, after: signing.AfterAdditions},
	{name: "valid_three_in_a_row", make: func(w *world) []byte {
		return w.seal(w.signPDF(w.signPDF(w.one(), testpki.PDFSignature{}), testpki.PDFSignature{}))
	}, after: signing.AfterSignatures},
	{name: "additions_uncovered_stamp_after_number_and_seal", make: func(w *world) []byte {
		return testpki.Stamp(w.seal(testpki.Stamp(w.one())))
	}, verdict: signing.Undetermined, want: signing.AdditionsUncovered, after: signing.AfterAdditions},
	{name: "valid_scanned", make: func(w *world) []byte {
		return w.seal(w.signPDF(w.revise(w.pdf(), func(r *revision) {
			n := r.Stream("/Type /XObject /Subtype /Image /Width 9 /Height 9 /ColorSpace /DeviceGray /BitsPerComponent 8", strings.Repeat("x", 81))
			resource("XObject", "Im0", fmt.Sprintf("%d 0 R", n))(r)
			setContents(r, r.Stream("", "q 595 0 0 842 0 0 cm /Im0 Do Q"))
		}), testpki.PDFSignature{}))
	}, after: signing.AfterSignatures},
	{name: "digest_mismatch_saved_in_full_after_signing", make: func(w *world) []byte {
		return bytes.Replace(w.one(), []byte("/Producer"), []byte("/Xroducer"), 1)
	}, want: signing.DigestMismatch},

	// What a document can do by itself.
	{name: "flag_embedded_by_its_bytes", make: flagged(func(r *revision) { embedded(r, "a.txt", "", "MZ\x90\x00") }), flag: signing.EmbeddedExecutable},
	{name: "flag_embedded_text", make: flagged(func(r *revision) { embedded(r, "a.txt", "", "xin chao") }), flag: signing.EmbeddedFile},
	{name: "flag_script_of_a_field", make: flagged(func(r *revision) { textField(r, "so", "/AA <</K <</S /JavaScript /JS (1)>>>>") }), flag: signing.JavaScript},
	{name: "flag_script_of_a_page", make: flagged(func(r *revision) { r.Insert(r.Page(), "/AA <</O <</S /JavaScript /JS (1)>>>>") }), flag: signing.JavaScript},
	{name: "flag_script_after_a_jump", make: flagged(func(r *revision) {
		r.Insert(r.Root(), "/OpenAction <</S /GoTo /D [%d 0 R /Fit] /Next [<</S /JavaScript /JS (1)>>]>>", r.Page())
	}), flag: signing.JavaScript},
	{name: "flag_script_of_a_bookmark", make: flagged(func(r *revision) {
		n := r.Add("<</Title (a) /A <</S /JavaScript /JS (1)>>>>")
		r.Insert(r.Root(), "/Outlines <</First %d 0 R /Last %d 0 R>>", n, n)
	}), flag: signing.JavaScript},
	{name: "flag_script_of_a_rendition", make: flagged(func(r *revision) {
		r.Annotate("/Subtype /Screen /Rect [0 0 9 9] /A <</S /Rendition /JS (1)>>")
	}), flag: signing.JavaScript},
	{name: "flag_script_in_xfa", make: flagged(func(r *revision) {
		r.Insert(r.Root(), "/AcroForm %d 0 R", r.Add("<</Fields [] /XFA %d 0 R>>", r.Stream("", "<template><script>1</script></template>")))
	}), flag: signing.JavaScript},
	{name: "flag_xfa", make: flagged(func(r *revision) {
		r.Insert(r.Root(), "/AcroForm %d 0 R", r.Add("<</Fields [] /XFA [(datasets) %d 0 R]>>", r.Stream("", "<a/>")))
	}), flag: signing.XFAForm},
	{name: "flag_launch_of_a_button", make: flagged(func(r *revision) {
		r.Field(textField(r, "nut", "/AA <</U <</S /Launch /Win <</F (cmd.exe)>>>>>>"))
	}), flag: signing.LaunchAction},
	{name: "flag_sends_data", make: flagged(func(r *revision) { r.Insert(r.Root(), "/AA <</WC <</S /SubmitForm /F (http://a.b)>>>>") }), flag: signing.ExternalAction},
	{name: "flag_rich_media", make: flagged(func(r *revision) { r.Annotate("/Subtype /RichMedia /Rect [0 0 9 9]") }), flag: signing.RichMedia},
	{name: "no_flag_for_links", make: flagged(func(r *revision) { r.Annotate("/Subtype /Link /Rect [0 0 9 9] /A <</S /URI /URI (http://a.b)>>") })},
	{name: "no_flag_for_old_header_of_a_newer_catalog", make: func(w *world) []byte {
		pdf := w.pdf()
		copy(pdf, "%PDF-1.3")
		return w.signPDF(w.revise(pdf, func(r *revision) { r.Insert(r.Root(), "/Version /1.7") }), testpki.PDFSignature{})
	}},
	{name: "changed_after_signing_xfa_values_sealed", make: preparedSealed(func(r *revision) {
		r.Insert(r.Root(), "/AcroForm %d 0 R", r.Add("<</Fields [] /XFA [(datasets) %d 0 R]>>", r.Stream("", "<a/>")))
	}, func(r *revision) {
		n := firstNumber(r.Object(r.Form()), "/XFA [(datasets) ")
		r.Set(n, []byte(stream("", "<b/>")))
	}), want: signing.ChangedAfterSigning, after: signing.AfterChanged, flag: signing.XFAForm},

	// Number, date, seal before issue, as tools write them.
	{name: "valid_freetext_before_seal", make: sealed(func(r *revision) {
		r.Annotate(fmt.Sprintf("/Subtype /FreeText /Rect [100 770 250 790] /F 4 /DA (/Helv 11 Tf 0 g) /Contents (So: 123) /AP <</N %d 0 R>>", look(r, numberMark)))
	}), after: signing.AfterAdditions},
	{name: "valid_form_fields_before_seal", make: sealed(func(r *revision) { textField(r, "so", "/V (123)"); textField(r, "ngay", "/V (21)") }),
		after: signing.AfterAdditions},
	{name: "valid_wrapped_overlay_before_seal", make: sealed(all(resource("Font", "H99", helvetica), wrapped("q\n", "Q q "+numberMark+" Q"))),
		after: signing.AfterAdditions},
	{name: "valid_wrapped_overlay_two_streams_before_seal", make: sealed(all(wrapped("q\n", "Q\n"), func(r *revision) {})), after: signing.AfterSignatures},
	{name: "valid_overlay_of_an_image_before_seal", make: sealed(func(r *revision) {
		n := r.Stream("/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceRGB /BitsPerComponent 8", "abc")
		resource("XObject", "Dau1", fmt.Sprintf("%d 0 R", n))(r)
		wrapped("q ", " Q q 60 0 0 60 300 300 cm /Dau1 Do Q")(r)
	}), after: signing.AfterAdditions},
	{name: "valid_overlay_in_the_same_stream_before_seal", make: preparedSealed(func(r *revision) {
		setContents(r, r.Stream("", "0 0 10 10 re S"))
	}, func(r *revision) {
		n := firstNumber(r.Object(r.Page()), "/Contents [")
		r.Set(n, []byte(stream("", "q\n0 0 10 10 re S\nQ\nq "+numberMark+" Q")))
	}), after: signing.AfterAdditions},
	{name: "valid_overlay_of_an_indirect_list_before_seal", make: preparedSealed(func(r *revision) {
		list := r.Add("[%d 0 R]", contents(r))
		r.Replace(r.Page(), fmt.Sprintf("/Contents %d 0 R", contents(r)), fmt.Sprintf("/Contents %d 0 R", list))
	}, func(r *revision) {
		list := contents(r)
		r.Set(list, bytes.Replace(r.Object(list), []byte("]"), fmt.Appendf(nil, " %d 0 R]", r.Stream("", numberMark)), 1))
	}), after: signing.AfterAdditions},
	{name: "valid_list_of_content_moved", make: later(func(r *revision) { setContents(r, contents(r)) }), after: signing.AfterSignatures},
	{name: "valid_own_resources_for_inherited", make: preparedSealed(func(r *revision) {
		n := testpki.Ref(r.Object(r.Page()), "/Resources")
		r.Replace(r.Page(), fmt.Sprintf("/Resources %d 0 R", n), "")
		r.Insert(testpki.Ref(r.Object(r.Page()), "/Parent"), "/Resources %d 0 R", n)
	}, func(r *revision) {
		n := testpki.Ref(r.Object(testpki.Ref(r.Object(r.Page()), "/Parent")), "/Resources")
		r.Insert(r.Page(), "/Resources %s", r.Object(n))
		wrapped("q", "Q")(r)
	}), after: signing.AfterSignatures},
	{name: "valid_layer_for_the_stamp_before_seal", make: sealed(func(r *revision) {
		group := r.Add("<</Type /OCG /Name (Dau)>>")
		r.Insert(r.Root(), "/OCProperties <</OCGs [%d 0 R] /D <</ON [%d 0 R] /Order [%d 0 R]>>>>", group, group, group)
		r.Annotate(fmt.Sprintf("/Subtype /Stamp /Rect [60 60 180 100] /F 4 /OC %d 0 R /AP <</N %d 0 R>>", group, look(r, "0 0 9 9 re S")))
	}), after: signing.AfterAdditions},
	{name: "valid_remark_between_leaders_then_seal", make: func(w *world) []byte {
		pdf := w.revise(w.one(), func(r *revision) {
			r.Annotate("/Subtype /Text /Rect [300 600 320 620] /Contents (Dong y) /T (Chu tich)")
		})
		return w.seal(w.signPDF(pdf, testpki.PDFSignature{}))
	}, after: signing.AfterAdditions},
	{name: "valid_two_signers", make: func(w *world) []byte { return w.signPDF(w.one(), testpki.PDFSignature{}) }, after: signing.AfterSignatures},
	{name: "valid_field_made_ready_then_signed", make: func(w *world) []byte {
		return w.seal(w.revise(w.one(), func(r *revision) {
			r.Field(r.Annotate("/Subtype /Widget /FT /Sig /T (CoQuan) /Rect [10 10 90 90] /F 4"))
		}))
	}, after: signing.AfterSignatures},
	{name: "valid_receiver_stamps_and_signs", make: func(w *world) []byte { return w.seal(testpki.Stamp(w.seal(w.one()))) }, after: signing.AfterAdditions},
	{name: "valid_seal_twice_copy_on_top", make: func(w *world) []byte { return w.seal(w.seal(w.one())) }, after: signing.AfterSignatures},
	{name: "additions_uncovered_remark", make: later(func(r *revision) {
		r.Annotate("/Subtype /Ink /Rect [300 600 420 620] /InkList [[300 600 420 620]]")
	}), verdict: signing.Undetermined, want: signing.AdditionsUncovered, after: signing.AfterAdditions},
	{name: "additions_uncovered_attachment", make: later(func(r *revision) {
		names(r, "/EmbeddedFiles <</Names [(a.txt) %d 0 R]>>", r.Add("<</Type /Filespec /F (a.txt)>>"))
	}), verdict: signing.Undetermined, want: signing.AdditionsUncovered, after: signing.AfterAdditions, flag: signing.EmbeddedFile},

	// What producers rewrite and no page shows.
	{name: "valid_all_written_again", make: later(again), after: signing.AfterSignatures},
	{name: "valid_info_rewritten", make: later(func(r *revision) {
		n := firstNumber(r.Bytes(), "/Info ")
		r.Set(n, []byte("<</Producer (Khac) /ModDate (D:20261121)>>"))
	}), after: signing.AfterSignatures},
	{name: "valid_metadata_rewritten", make: prepared(func(r *revision) {
		r.Insert(r.Root(), "/Metadata %d 0 R", r.Stream("/Type /Metadata /Subtype /XML", "<a/>"))
	},
		func(r *revision) {
			r.Set(testpki.Ref(r.Object(r.Root()), "/Metadata"), []byte("<</Type /Metadata /Subtype /XML /Length 4>>\nstream\n<b/>\nendstream"))
		}), after: signing.AfterSignatures},
	{name: "valid_catalog_housekeeping", make: later(func(r *revision) {
		r.Insert(r.Root(), "/Extensions <</ADBE <</BaseVersion /1.7 /ExtensionLevel 8>>>> /Version /2.0 /MarkInfo <</Marked true>> /ViewerPreferences <</DisplayDocTitle true>> /PieceInfo <<>> /Lang (vi) /PageLabels <</Nums [0 <</S /D>>]>>")
	}), after: signing.AfterSignatures},
	{name: "valid_page_housekeeping", make: later(func(r *revision) {
		r.Insert(r.Page(), "/LastModified (D:20261121) /Tabs /S /StructParents 0 /Rotate 0 /CropBox [0 0 595.28 841.89]")
	}), after: signing.AfterSignatures},
	{name: "valid_annotations_moved_to_an_object", make: later(func(r *revision) {
		list := regexp.MustCompile(`/Annots (\[[^\]]*\])`).FindSubmatch(r.Object(r.Page()))
		r.Replace(r.Page(), string(list[0]), fmt.Sprintf("/Annots %d 0 R", r.Add("%s", list[1])))
	}), after: signing.AfterSignatures},
	{name: "valid_form_written_in_place", make: later(func(r *revision) {
		form := r.Form()
		r.Replace(r.Root(), fmt.Sprintf("/AcroForm %d 0 R", form), fmt.Sprintf("/AcroForm %s", r.Object(form)))
	}), after: signing.AfterSignatures},
	{name: "valid_structure_gains_an_element", make: preparedSealed(func(r *revision) {
		tree, root := r.Add("<</Nums []>>"), 0
		root = r.Add("<</Type /StructTreeRoot /K [] /ParentTree %d 0 R /ParentTreeNextKey 0>>", tree)
		r.Insert(r.Root(), "/StructTreeRoot %d 0 R /MarkInfo <</Marked true>>", root)
	}, func(r *revision) {
		root := testpki.Ref(r.Object(r.Root()), "/StructTreeRoot")
		n := r.Annotate("/Subtype /Stamp /Rect [1 1 9 9] /StructParent 0")
		elem := r.Add("<</Type /StructElem /S /Annot /P %d 0 R /K <</Type /OBJR /Obj %d 0 R>>>>", root, n)
		r.Replace(root, "/K []", fmt.Sprintf("/K [%d 0 R]", elem))
		r.Replace(root, "/ParentTreeNextKey 0", "/ParentTreeNextKey 1")
		r.Replace(testpki.Ref(r.Object(root), "/ParentTree"), "[]", fmt.Sprintf("[0 %d 0 R]", elem))
	}), after: signing.AfterAdditions},
	{name: "valid_old_annotation_touched", make: prepared(func(r *revision) { r.Annotate("/Subtype /Stamp /Rect [1 1 9 9] /NM (a)") }, func(r *revision) {
		n := firstNumber(r.Object(r.Page()), "/Annots [")
		r.Insert(n, "/M (D:20261121) /StructParent 3")
	}), after: signing.AfterSignatures},
	{name: "valid_need_appearances_without_fields", make: later(func(r *revision) { r.Insert(r.Form(), "/NeedAppearances true") }), after: signing.AfterSignatures},
	{name: "valid_bookmarks_added", make: later(func(r *revision) {
		n := r.Add("<</Type /Outlines /Count 0>>")
		r.Insert(r.Root(), "/Outlines %d 0 R /PageMode /UseOutlines /OpenAction [%d 0 R /Fit]", n, r.Page())
	}), after: signing.AfterSignatures},
	{name: "valid_font_added_unused", make: later(resource("Font", "H99", helvetica)), after: signing.AfterSignatures},

	// Filling in.
	{name: "valid_filled_certified_2", make: func(w *world) []byte {
		return w.revise(w.signPDF(w.revise(w.pdf(), withField), testpki.PDFSignature{DocMDP: 2}), fill)
	}, after: signing.AfterAllowed},
	{name: "valid_filled_then_sealed", make: preparedSealed(withField, fill), after: signing.AfterAdditions},
	{name: "valid_filled_in_the_same_appearance", make: preparedSealed(func(r *revision) {
		textField(r, "so", fmt.Sprintf("/AP <</N %d 0 R>>", look(r, "")))
	}, func(r *revision) {
		f := fieldOf(r, "so")
		r.Insert(f, "/V (123)")
		r.Set(testpki.Ref(r.Object(f), "/AP <</N"), []byte("<</Type /XObject /Subtype /Form /BBox [0 0 140 15] /Length 2>>\nstream\nBT\nendstream"))
	}), after: signing.AfterAdditions},
	{name: "additions_uncovered_filled_without_permission", make: prepared(withField, fill), verdict: signing.Undetermined, want: signing.AdditionsUncovered},
	{name: "changed_after_signing_filled_certified_1", make: func(w *world) []byte {
		return w.revise(w.signPDF(w.revise(w.pdf(), withField), testpki.PDFSignature{DocMDP: 1}), fill)
	}, want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_filled_certified_1_elsewhere", make: func(w *world) []byte {
		var p int
		pdf := w.revise(w.pdf(), func(r *revision) { withField(r); p = r.Add("1") })
		return w.revise(w.signPDF(pdf, testpki.PDFSignature{DocMDP: 2, BendDict: func(b []byte) []byte {
			return regexp.MustCompile(`/P 2 /V /1.2>>>>]`).ReplaceAll(b, fmt.Appendf(nil, "/P %d 0 R >>>>] ", p))
		}}), fill)
	}, want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_signed_certified_1", make: func(w *world) []byte {
		return w.seal(w.signPDF(w.pdf(), testpki.PDFSignature{DocMDP: 1}))
	}, want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "valid_certified_1_then_dss_and_timestamp", make: func(w *world) []byte {
		pdf := w.AddValidationData(w.signPDF(w.pdf(), testpki.PDFSignature{DocMDP: 1}))
		return w.signPDF(pdf, testpki.PDFSignature{SubFilter: "ETSI.RFC3161", TSA: w.PKI, Hidden: true})
	}, after: signing.AfterSignatures},
	{name: "changed_after_signing_look_of_a_field_certified_2", make: func(w *world) []byte {
		pdf := w.revise(w.pdf(), func(r *revision) {
			textField(r, "so", fmt.Sprintf("/V (1) /AP <</N %d 0 R>>", look(r, "BT (1) Tj ET")))
		})
		return w.revise(w.signPDF(pdf, testpki.PDFSignature{DocMDP: 2}), func(r *revision) {
			f := fieldOf(r, "so")
			r.Replace(f, fmt.Sprintf("/N %d 0 R", testpki.Ref(r.Object(f), "/AP <</N")), fmt.Sprintf("/N %d 0 R", look(r, "BT (9) Tj ET")))
		})
	}, want: signing.ChangedAfterSigning, after: signing.AfterChanged},

	// What hides behind a harmless role.
	{name: "changed_after_signing_text_as_metadata", make: later(func(r *revision) {
		r.Insert(r.Root(), "/Metadata %d 0 R", contents(r))
		r.Set(contents(r), []byte(stream("", "0 0 99 99 re f")))
	}), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_text_as_info_sealed", make: func(w *world) []byte {
		before := w.one()
		pdf := w.revise(before, func(r *revision) { r.Set(contents(r), []byte(stream("", "0 0 99 99 re f"))) })
		tail := regexp.MustCompile(`/Info \d+ 0 R`).ReplaceAll(pdf[len(before):], fmt.Appendf(nil, "/Info %d 0 R", firstNumber(before, "/Contents ")))
		return w.seal(append(pdf[:len(before):len(before)], tail...))
	}, want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_text_as_dss", make: later(func(r *revision) {
		r.Insert(r.Root(), "/DSS <</Certs [%d 0 R]>>", contents(r))
		r.Set(contents(r), []byte(stream("", "0 0 99 99 re f")))
	}), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_text_as_xref", make: preparedSealed(func(r *revision) {
		r.Set(contents(r), []byte("<</Type /XRef /Length 14>>\nstream\n0 0 10 10 re S\nendstream"))
	}, func(r *revision) {
		r.Set(contents(r), []byte("<</Type /XRef /Length 14>>\nstream\n0 0 99 99 re f\nendstream"))
	}), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_object_stream", make: func(w *world) []byte {
		pdf := w.signPDF(w.compressed(), testpki.PDFSignature{})
		return w.seal(w.revise(pdf, func(r *revision) {
			for n := 1; n < 200; n++ {
				if body := r.Object(n); bytes.Contains(body, []byte("/Type /ObjStm")) {
					at := bytes.Index(body, []byte("/N "))
					r.Set(n, append(append(append([]byte{}, body[:at]...), "/X 1 "...), body[at:]...))
				}
			}
		}))
	}, want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_prepended_colour_sealed", make: sealed(wrapped("q 1 1 1 rg\n", "Q")), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_prepended_clip_sealed", make: sealed(wrapped("0 0 1 1 re W n\n", "")), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_prepended_comment_sealed", make: sealed(wrapped("q %", "Q")), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_content_dropped_sealed", make: sealed(func(r *revision) { setContents(r, r.Stream("", "q Q")) }), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_font_replaced_sealed", make: sealed(func(r *revision) {
		n := testpki.Ref(r.Object(r.Page()), "/Resources")
		r.Set(n, regexp.MustCompile(`/Font <<\s*/(\w+) \d+ 0 R`).ReplaceAll(r.Object(n), fmt.Appendf(nil, "/Font << /$1 %d 0 R", r.Add(helvetica))))
	}), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_default_colour_sealed", make: sealed(resource("ColorSpace", "DefaultGray", "[/Separation /All /DeviceGray 9 0 R]")), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_name_that_was_missing_sealed", make: preparedSealed(func(r *revision) {
		setContents(r, r.Stream("", "/Mat gs"), contents(r))
	}, resource("ExtGState", "Mat", "<</ca 0 /CA 0>>")), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_layer_off_sealed", make: preparedSealed(func(r *revision) {
		group := r.Add("<</Type /OCG /Name (Noi dung)>>")
		r.Insert(r.Root(), "/OCProperties <</OCGs [%d 0 R] /D <</ON [%d 0 R] /OFF []>>>>", group, group)
	}, func(r *revision) {
		group := firstNumber(r.Object(r.Root()), "/OCGs [")
		r.Replace(r.Root(), "/OFF []", fmt.Sprintf("/OFF [%d 0 R]", group))
	}), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_layer_defined_off_sealed", make: preparedSealed(func(r *revision) {
		resource("Properties", "MC0", fmt.Sprintf("%d 0 R", r.Add("<</Type /OCG /Name (Noi dung)>>")))(r)
	}, func(r *revision) {
		group := firstNumber(r.Object(testpki.Ref(r.Object(r.Page()), "/Resources")), "/MC0 ")
		r.Insert(r.Root(), "/OCProperties <</OCGs [%d 0 R] /D <</OFF [%d 0 R]>>>>", group, group)
	}), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_annotation_hidden_sealed", make: preparedSealed(func(r *revision) { r.Annotate("/Subtype /Stamp /Rect [1 1 9 9] /F 4") },
		func(r *revision) { r.Replace(firstNumber(r.Object(r.Page()), "/Annots ["), "/F 4", "/F 2") }), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_annotation_deleted_sealed", make: preparedSealed(func(r *revision) { r.Annotate("/Subtype /Stamp /Rect [1 1 9 9] /F 4") },
		func(r *revision) {
			n := firstNumber(r.Object(r.Page()), "/Annots [")
			r.Set(r.Page(), regexp.MustCompile(fmt.Sprintf(`/Annots \[\s*%d 0 R`, n)).ReplaceAll(r.Object(r.Page()), []byte("/Annots [")))
		}), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_media_box", make: sealed(func(r *revision) { r.Insert(r.Page(), "/CropBox [0 0 300 300]") }), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_user_unit", make: sealed(func(r *revision) { r.Insert(r.Page(), "/UserUnit 2") }), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_inherited_rotate", make: sealed(func(r *revision) { r.Insert(testpki.Ref(r.Object(r.Page()), "/Parent"), "/Rotate 90") }), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_widget_moved_sealed", make: sealed(func(r *revision) {
		n := firstNumber(r.Object(r.Form()), "/Fields [ ")
		r.Set(n, regexp.MustCompile(`/Rect \[[^\]]*\]`).ReplaceAll(r.Object(n), []byte("/Rect [0 0 9 9]")))
	}), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_second_widget_sealed", make: sealed(func(r *revision) {
		n := firstNumber(r.Object(r.Form()), "/Fields [ ")
		kid := r.Annotate(fmt.Sprintf("/Subtype /Widget /Parent %d 0 R /Rect [300 300 390 390]", n))
		r.Insert(n, "/Kids [%d 0 R]", kid)
	}), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_open_script", make: sealed(func(r *revision) {
		names(r, "/JavaScript <</Names [(a) <</S /JavaScript /JS (1)>>]>>")
	}), want: signing.ChangedAfterSigning, after: signing.AfterChanged, flag: signing.JavaScript},
}

func TestPDFPracticeCorpus(t *testing.T) {
	t.Parallel()
	for _, c := range practiceCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			pdf := w.keep(".pdf", c.make(w))
			o := w.options()
			if c.options != nil {
				c.options(w, &o)
			}
			c.check(t, verify(inside(pdf), o))
		})
	}
}

// Marks are told of the signatures that they came after, and of no other.
func TestPDFMarks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pdf := w.seal(testpki.Overlay(testpki.Stamp(w.one())))
	list := verify(inside(pdf), w.options()).Files[0].Signatures
	if len(list) != 2 || len(list[0].Marks) != 2 || len(list[1].Marks) != 0 {
		t.Fatalf("marks: %+v", list)
	}
	if m := list[0].Marks[1]; m.Kind != "Content" || m.Page != 1 || m.Rect[2] < 500 {
		t.Errorf("overlay: %+v", m)
	}
	if m := list[0].Marks[0]; m.Kind != "Stamp" || m.Page != 1 || m.Rect != [4]float64{60, 60, 180, 100} {
		t.Errorf("stamp: %+v", m)
	}
}

// A long document with many revisions is more than is compared: it is undetermined then, and soon.
func TestPDFManyPagesAndRevisions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pdf := w.signPDF(w.revise(w.pdf(), func(r *revision) {
		parent, list := testpki.Ref(r.Object(r.Page()), "/Parent"), fmt.Sprintf("%d 0 R", r.Page())
		page := fmt.Sprintf("<</Type /Page /Parent %d 0 R /Resources %d 0 R /Contents %d 0 R>>", parent, testpki.Ref(r.Object(r.Page()), "/Resources"), contents(r))
		for n := 1000; n < 5000; n++ {
			r.Set(n, []byte(page))
			list += fmt.Sprintf(" %d 0 R", n)
		}
		r.Set(parent, fmt.Appendf(nil, "<</Type /Pages /Kids [%s] /Count 4001 /MediaBox [0 0 595 842]>>", list))
	}), testpki.PDFSignature{})
	for i := range 40 {
		pdf = w.revise(pdf, resource("Font", fmt.Sprint("Z", i), helvetica))
	}
	pdfCase{verdict: signing.Undetermined, want: signing.RevisionUnreadable}.check(t, verify(inside(pdf), w.options()))
}
