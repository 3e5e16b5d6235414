package signing_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

const (
	formFive  = "/Pages 2 0 R /AcroForm 5 0 R"
	formBody  = "<</SigFlags 3 /Fields [6 0 R]>>"
	fieldBody = "<</Type /Annot /Subtype /Widget /FT /Sig /T (A) /V 7 0 R /P 3 0 R /Rect [0 0 0 0] /F 132>>"
)

// signedAs is a file signed in one go: its form, its field and its signature dictionary as given, objects 5, 6 and 7.
func (w *world) signedAs(more ...string) []byte {
	return w.fill(littleWith("/Pages 2 0 R", formFive, more...))
}

// structureCases are files whose structure is odd but allowed, or common though wrong; and those where it is a trick.
var structureCases = []pdfCase{
	{name: "valid_signed_in_one_go", make: func(w *world) []byte { return w.signedAs(formBody, fieldBody, room("")) }, after: signing.AfterNothing, pdfsig: 1},
	{name: "valid_value_in_place", make: func(w *world) []byte {
		return w.signedAs(formBody, strings.Replace(fieldBody, "7 0 R", room(""), 1))
	}, pdfsig: 1},
	{name: "valid_value_in_place_then_validation_data", make: func(w *world) []byte {
		return w.AddValidationData(w.signedAs(formBody, strings.Replace(fieldBody, "7 0 R", room(""), 1)))
	}, after: signing.AfterSignatures, pdfsig: 1},
	{name: "valid_field_above_widget", make: func(w *world) []byte {
		return w.signedAs(formBody, "<</FT /Sig /T (A) /V 7 0 R /Kids [8 0 R]>>", room(""),
			"<</Type /Annot /Subtype /Widget /Parent 6 0 R /P 3 0 R /Rect [0 0 0 0] /F 132>>")
	}}, // pdfsig does not see that the kind of a field is inherited
	{name: "valid_field_names_nested", make: func(w *world) []byte {
		return w.signedAs(formBody, "<</T (A) /Kids [8 0 R]>>", room(""),
			"<</Type /Annot /Subtype /Widget /FT /Sig /T (B) /V 7 0 R /Parent 6 0 R /P 3 0 R /Rect [0 0 0 0] /F 132>>")
	}, pdfsig: 1},
	{name: "valid_field_without_page", make: func(w *world) []byte { return w.signedAs(formBody, "<</FT /Sig /T (A) /V 7 0 R>>", room("")) }},
	{name: "valid_form_in_place", make: func(w *world) []byte {
		return w.fill(littleWith("/Pages 2 0 R", "/Pages 2 0 R /AcroForm <</SigFlags 3 /Fields [6 0 R]>>", "null", fieldBody, room("")))
	}, pdfsig: 1},
	{name: "valid_field_only_on_the_page", make: func(w *world) []byte {
		return w.fill(littleWith("/Resources <<>>", "/Resources <<>> /Annots [6 0 R]", "null", fieldBody, room("")))
	}},
	{name: "valid_field_only_on_the_page_form_empty", make: func(w *world) []byte {
		page := strings.Replace(pageBody, "/Resources <<>>", "/Annots [6 0 R]", 1)
		return w.fill(plainPDF("<</Type /Catalog "+formFive+">>", pagesBody, page, stream("", goodText), "<</SigFlags 3 /Fields []>>", fieldBody, room("")))
	}},
	{name: "valid_no_type_no_filter", make: func(w *world) []byte {
		return w.signedAs(formBody, fieldBody, strings.NewReplacer("/Type /Sig", "", "/Filter /Adobe.PPKLite", "").Replace(room("")))
	}},
	{name: "valid_other_filter", make: func(w *world) []byte {
		return w.signedAs(formBody, fieldBody, strings.Replace(room(""), "Adobe.PPKLite", "VGCA.SigPDF", 1))
	}},
	{name: "valid_names_escaped", make: func(w *world) []byte {
		return w.signedAs(formBody, fieldBody, strings.Replace(room(""), "ETSI.CAdES", "ETSI#2ECAdES", 1))
	}},
	{name: "valid_version_2", make: func(w *world) []byte {
		return w.signPDF(bytes.Replace(w.pdf(), []byte("%PDF-1.7"), []byte("%PDF-2.0"), 1), testpki.PDFSignature{})
	}, pdfsig: 1},
	{name: "valid_hybrid", make: func(w *world) []byte { return w.signPDF(hybrid(), testpki.PDFSignature{Hidden: true}) }, pdfsig: 1},
	{name: "valid_hybrid_two", make: func(w *world) []byte { return w.seal(w.signPDF(hybrid(), testpki.PDFSignature{Hidden: true})) },
		after: signing.AfterSignatures, pdfsig: 2},

	// A signature that is there and that no form leads to.
	{name: "signature_outside_form", make: func(w *world) []byte { return w.fill(little(room(""))) },
		verdict: signing.Undetermined, want: signing.SignatureOutsideForm},
	{name: "signature_removed_prev_past_the_signature", make: func(w *world) []byte {
		pdf := w.signed(little())
		f := forge(pdf).object(4, stream("", evilText))
		f.trailer = fmt.Sprintf("/Prev %d", bytes.Index(pdf, []byte("xref\n")))
		return f.end()
	}, want: signing.SignatureRemoved},
	{name: "signature_removed_field_emptied", make: func(w *world) []byte {
		pdf := w.signed(little())
		n := firstNumber([]byte(bodyOf(pdf, firstNumber([]byte(bodyOf(pdf, 1)), "/AcroForm "))), "/Fields [ ")
		return forge(pdf).object(n, "<</Type /Annot /Subtype /Widget /FT /Sig /T (Signature1) /P 3 0 R /Rect [0 0 0 0]>>").end()
	}, want: signing.SignatureRemoved},
	{name: "signature_removed_field_made_text", make: func(w *world) []byte {
		pdf := w.signed(little())
		n := firstNumber([]byte(bodyOf(pdf, firstNumber([]byte(bodyOf(pdf, 1)), "/AcroForm "))), "/Fields [ ")
		return forge(pdf).object(n, strings.Replace(bodyOf(pdf, n), "/FT /Sig", "/FT /Tx", 1)).end()
	}, want: signing.SignatureRemoved},
	{name: "no_signature_usage_rights", make: func(w *world) []byte {
		return w.fill(littleWith("/Pages 2 0 R", "/Pages 2 0 R /Perms <</UR3 5 0 R>>", room("/Reference [<</TransformMethod /UR3>>]")))
	}, verdict: signing.Unsigned, want: signing.NoSignature},
	{name: "no_signature_signed_file_embedded", make: func(w *world) []byte {
		return littleWith("/Pages 2 0 R", "/Pages 2 0 R /Names <</EmbeddedFiles <</Names [(a.pdf) 6 0 R]>>>>",
			stream("/Type /EmbeddedFile", string(w.one())), "<</Type /Filespec /F (a.pdf) /EF <</F 5 0 R>>>>")
	}, verdict: signing.Unsigned, want: signing.NoSignature, flag: signing.EmbeddedFile},
	{name: "no_signature_field_ready", make: func(*world) []byte {
		return littleWith("/Pages 2 0 R", formFive, formBody, strings.Replace(fieldBody, "/V 7 0 R", "", 1))
	}, verdict: signing.Unsigned, want: signing.NoSignature},
	{name: "byterange_forged_in_object_stream", make: packedSignature, want: signing.ByteRangeForged},

	// Universal signature forgery: each element of the dictionary gone, empty, null or of another kind.
	{name: "byterange_forged_null", make: bentRange("null"), want: signing.ByteRangeForged},
	{name: "byterange_forged_empty", make: bentRange("[]"), want: signing.ByteRangeForged},
	{name: "byterange_forged_number", make: bentRange("0"), want: signing.ByteRangeForged},
	{name: "byterange_forged_string", make: bentRange("(0 0 0 0)"), want: signing.ByteRangeForged},
	{name: "byterange_forged_indirect", make: bentRange("8 0 R"), want: signing.ByteRangeForged},
	{name: "byterange_forged_names", make: bentRange("[/a /b /c /d]"), want: signing.ByteRangeForged},
	{name: "byterange_forged_nested", make: bentRange("[[0 10 20 30]]"), want: signing.ByteRangeForged},
	{name: "byterange_forged_minus_ones", make: bentRange("[-1 -1 -1 -1]"), want: signing.ByteRangeForged},
	{name: "byterange_forged_one_pair", make: bentRange("[0 9]"), want: signing.ByteRangeForged},
	{name: "byterange_forged_three_pairs", make: bentRange("[0 9 9 0 9 9]"), want: signing.ByteRangeForged},
	{name: "byterange_forged_huge", make: bentRange("[0 9 9 9223372036854775807]"), want: signing.ByteRangeForged},
	{name: "byterange_forged_beyond_integers", make: bentRange("[0 99999999999999999999 9 9]"), want: signing.ByteRangeForged},
	{name: "contents_forged_absent", make: bentContents(""), want: signing.ByteRangeForged},
	{name: "contents_forged_null", make: bentContents("/Contents null"), want: signing.ByteRangeForged},
	{name: "contents_forged_indirect", make: bentContents("/Contents 8 0 R"), want: signing.ByteRangeForged},
	{name: "contents_forged_number", make: bentContents("/Contents 0"), want: signing.ByteRangeForged},
	{name: "contents_forged_literal", make: bentContents("/Contents (0)"), want: signing.ByteRangeForged},
	{name: "contents_forged_array", make: bentContents("/Contents [<00>]"), want: signing.ByteRangeForged},
	{name: "contents_forged_empty", make: rightRange("<>"), want: signing.CMSMalformed},
	{name: "contents_forged_zero_byte", make: rightRange("<00>"), want: signing.CMSMalformed},
	{name: "contents_forged_odd_digit", make: rightRange("<3>"), want: signing.CMSMalformed},
	{name: "contents_forged_sequence", make: rightRange("<3000>"), want: signing.CMSMalformed},
	{name: "pdf_malformed_contents_comment", make: rightRange("<30 %\n00>"), verdict: signing.Undetermined, want: signing.PDFMalformed},
	{name: "signature_dictionary_invalid_without_subfilter", make: func(w *world) []byte {
		return w.signedAs(formBody, fieldBody, strings.Replace(room(""), "/SubFilter /ETSI.CAdES.detached", "", 1))
	}, want: signing.SignatureDictInvalid},
	{name: "unsupported_format_rsa_sha1", make: func(w *world) []byte {
		return w.signedAs(formBody, fieldBody, strings.Replace(room(""), "ETSI.CAdES.detached", "adbe.x509.rsa_sha1", 1))
	}, verdict: signing.Undetermined, want: signing.UnsupportedFormat},
	{name: "byterange_forged_contents_twice", make: func(w *world) []byte { return w.signedAs(formBody, fieldBody, room("/Contents <00>")) }, want: signing.ByteRangeForged},
	{name: "byterange_forged_contents_twice_escaped", make: func(w *world) []byte {
		return w.signedAs(formBody, fieldBody, room("/Cont#65nts <00>"))
	}, want: signing.ByteRangeForged},
	{name: "byterange_forged_twice", make: func(w *world) []byte {
		return w.signedAs(formBody, fieldBody, room("/ByteRange [0 1 2 3]"))
	}, want: signing.ByteRangeForged},

	// The signed bytes moved aside, or the file put into another.
	{name: "byterange_forged_wrapped", make: wrappedPDF, want: signing.ByteRangeForged},
	{name: "byterange_forged_junk_before", make: func(w *world) []byte { return append([]byte("GIF89a;\n"), w.littleSigned()...) }, want: signing.ByteRangeForged},
	{name: "byterange_forged_another_header_before", make: func(w *world) []byte { return append([]byte("%PDF-1.4\n"), w.littleSigned()...) }, want: signing.ByteRangeForged},
}

// bentRange signs rightly and then says another range.
func bentRange(with string) func(*world) []byte {
	return func(w *world) []byte {
		pdf := littleWith("/Pages 2 0 R", formFive, formBody, fieldBody, room(""), "[0 10 20 30]")
		return bytes.Replace(pdf, []byte("/ByteRange [0 0000000000 0000000000 0000000000]"), []byte(fmt.Sprintf("%-47s", "/ByteRange "+with)), 1)
	}
}

// bentContents has no value as it should be, and a range around nothing.
func bentContents(with string) func(*world) []byte {
	return func(w *world) []byte {
		dict := "<</Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange [0 100 120 0000000400] " + with + ">>"
		return littleWith("/Pages 2 0 R", formFive, formBody, fieldBody, dict, "<3000>")
	}
}

// rightRange has a range exactly around a value that says nothing.
func rightRange(value string) func(*world) []byte {
	return func(w *world) []byte {
		out := littleWith("/Pages 2 0 R", formFive, formBody, fieldBody, "<</SubFilter /ETSI.CAdES.detached /ByteRange [0 0000000000 0000000000 0000000000] /Contents "+value+">>")
		at := bytes.Index(out, []byte("/ByteRange"))
		a := at + bytes.Index(out[at:], []byte("/Contents ")) + len("/Contents ")
		b := a + len(value)
		copy(out[at:], fmt.Sprintf("/ByteRange [0 %010d %010d %010d]", a, b, len(out)-b))
		return out
	}
}

// packedSignature has its dictionary in an object stream, where it has no place in the file.
func packedSignature(w *world) []byte {
	body := "7 0 " + room("")
	return w.fill(packed(little(formBody, fieldBody), stream("/Type /ObjStm /N 1 /First 4", body)))
}

// packed appends a hybrid section that puts object 7 into the object stream 8.
func packed(pdf []byte, container string) []byte {
	pdf = bytes.Replace(pdf, []byte("/Resources <<>>"), []byte("/Rsources <<>> "), 1)
	f := forge(pdf)
	at := len(f.out)
	f.text("8 0 obj\n%s\nendobj\n", container)
	here := len(f.out)
	rows := string([]byte{2, 0, 0, 8, 0, 1, byte(at >> 16), byte(at >> 8), byte(at), 0})
	f.text("9 0 obj\n%s\nendobj\n", stream("/Type /XRef /W [1 3 1] /Index [7 2] /Size 10", rows))
	f.trailer = fmt.Sprintf("/XRefStm %d", here)
	return f.object(1, "<</Type /Catalog "+formFive+">>").end()
}

// hybrid is a file as Word writes it: a table for all, then an empty one whose stream hides the structure tree.
func hybrid() []byte {
	pdf := littleWith("/Pages 2 0 R", "/Pages 2 0 R /StructTreeRoot 20 0 R")
	f := forge(pdf)
	at := len(f.out)
	f.text("21 0 obj\n%s\nendobj\n", stream("/Type /ObjStm /N 1 /First 5", "20 0 <</Type /StructTreeRoot>>"))
	here := len(f.out)
	rows := string([]byte{2, 0, 0, 21, 0, 1, byte(at >> 16), byte(at >> 8), byte(at), 0})
	f.text("22 0 obj\n%s\nendobj\n", stream("/Type /XRef /W [1 3 1] /Index [20 2] /Size 23 /Root 1 0 R", rows))
	xref := len(f.out)
	return f.text("xref\n0 0\ntrailer\n<</Size 23 /Root 1 0 R /Prev %d /XRefStm %d>>\nstartxref\n%d\n%%%%EOF\n", f.prev, here, xref).out
}

// wrappedPDF moves the second part of what was signed behind a part of the forger's own, and lets the range jump over it.
func wrappedPDF(w *world) []byte {
	pdf := w.signedAs(formBody, fieldBody, room(""))
	gap := bytes.Index(pdf, []byte("> >>\nendobj")) + 1
	var a, b, n int
	at := bytes.Index(pdf, []byte("/ByteRange ["))
	fmt.Sscanf(string(pdf[at:]), "/ByteRange [0 %d %d %d]", &a, &b, &n)
	evil := fmt.Sprintf(" >>\nendobj\n4 0 obj\n%s\nendobj\n", stream("", evilText))
	head := bytes.Clone(pdf[:gap])
	copy(head[at:], fmt.Sprintf("/ByteRange [0 %d %d %d] ", a, b+len(evil), n))
	return append(append(head, evil...), pdf[gap:]...)
}

func TestPDFStructureCorpus(t *testing.T) {
	t.Parallel()
	for _, c := range structureCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			pdf := w.keep(".pdf", c.make(w))
			c.check(t, verify(inside(pdf), w.options()))
			if c.pdfsig > 0 {
				pdfsigAccepts(t, pdf, c.pdfsig)
			}
		})
	}
}
