package signing_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/signing"
)

// readerCases are updates that readers understand in more than one way, or that make something of what was laid out before
// signing: each shows another page in poppler than the signed one, while nothing seems to have changed.
var readerCases = []attackCase{
	// Numbers. Readers that want an integer pass over "49.0", and read "1e2" as 1.
	{name: "changed_after_signing_encoding_code_made_real",
		base: func(w *world) []byte {
			return w.signed(plainPDF(catalogBody, pagesBody, strings.Replace(pageBody, "<<>>", "<</Font <</F 5 0 R>>>>", 1),
				stream("", "BT /F 40 Tf 20 20 Td (111) Tj ET"), "<</Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding 6 0 R>>",
				"<</Type /Encoding /Differences [49 /nine]>>"))
		},
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(6, "<</Type /Encoding /Differences [49.0 /nine]>>").end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_box_with_exponent", base: func(w *world) []byte {
		return w.signed(littleWith("[0 0 300 300]", "[0 0 100 100]"))
	},
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(3, strings.Replace(bodyOf(pdf, 3), "[0 0 100 100]", "[0 0 1e2 1e2]", 1)).end()
		}, want: signing.ChangedAfterSigning},

	// Streams that are not where or as long as they say.
	{name: "changed_after_signing_length_too_short", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(4, fmt.Sprintf("<</Length %d>>\nstream\n%s\n%s\nendstream", len(goodText), goodText, evilText)).end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_no_line_after_stream",
		base: func(w *world) []byte {
			return w.signed(plainPDF(catalogBody, pagesBody, pageBody, stream("", "/A BMC EMC 0 0 1 rg 10 10 50 50 re f\n0 g")))
		},
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(4, strings.Replace(stream("", "/A BMC EMC 0 0 1 rg 10 10 50 50 re f\n0 g"), "stream\n", "stream", 1)).end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_predictor_with_part_of_a_row", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			n := len(goodText)
			data := "\x00" + goodText + "\x00\n" + evilText[:n-2]
			return forge(pdf).object(4, stream(fmt.Sprintf("/Filter /FlateDecode /DecodeParms <</Predictor 12 /Columns %d>>", n), deflated(data))).end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_decode_parms_indirect", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(20, "<</Predictor 12 /Columns 3>>").
				object(4, stream("/Filter /FlateDecode /DecodeParms 20 0 R", deflated(goodText))).end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_decode_parms_of_another_shape", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(4, stream(fmt.Sprintf("/Filter [/FlateDecode] /DecodeParms <</Predictor 12 /Columns %d>>", len(goodText)), deflated("\x00"+goodText))).end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_decode_parms_over_their_abbreviation",
		base: func(w *world) []byte {
			n := len(goodText)
			return w.signed(plainPDF(catalogBody, pagesBody, pageBody, stream(fmt.Sprintf("/Filter /FlateDecode /DP <</Predictor 12 /Columns %d>>", n), deflated("\x00"+goodText))))
		},
		forge: func(_ *world, pdf []byte) []byte {
			n := len(goodText)
			return forge(pdf).object(4, stream(fmt.Sprintf("/Filter /FlateDecode /DP <</Predictor 12 /Columns %d>> /DecodeParms <<>>", n), deflated("\x00"+goodText))).end()
		}, want: signing.ChangedAfterSigning},

	{name: "changed_after_signing_new_content_with_length_too_short", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(20, fmt.Sprintf("<</Length %d>>\nstream\n%s\n%s\nendstream", len(goodText), goodText, evilText)).
				object(3, strings.Replace(bodyOf(pdf, 3), "/Contents 4 0 R", "/Contents 20 0 R", 1)).end()
		}, want: signing.ChangedAfterSigning},

	// What makes a reader give up the cross-references and go by what it finds.
	{name: "changed_after_signing_generation_of_the_head_differs", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			f := forge(pdf).text("4 0 obj\n%s\nendobj\n", stream("", evilText))
			f.object(1, bodyOf(pdf, 1))
			return bytes.Replace(f.end(), fmt.Appendf(nil, "endobj\n1 0 obj\n%s", bodyOf(pdf, 1)), fmt.Appendf(nil, "endobj\n1 3 obj\n%s", bodyOf(pdf, 1)), 1)
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_startxref_far_from_the_end", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			f := forge(pdf).text("4 0 obj\n%s\nendobj\n", stream("", evilText)).object(900, "<<>>")
			return append(bytes.TrimSuffix(f.end(), []byte("\n%%EOF\n")), strings.Repeat(" ", 1500)+"\n%%EOF\n"...)
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_comment_after_startxref", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			f := forge(pdf).text("4 0 obj\n%s\nendobj\n", stream("", evilText)).object(900, "<<>>")
			out := f.end()
			at := bytes.LastIndex(out, []byte("startxref\n")) + len("startxref\n")
			return append(append(bytes.Clone(out[:at]), "%x\n"...), out[at:]...)
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_xref_word_joined", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			out := forge(pdf).text("4 0 obj\n%s\nendobj\n", stream("", evilText)).object(900, "<<>>").end()
			at := bytes.LastIndex(out, []byte("\nxref\n"))
			return append(append(bytes.Clone(out[:at]), "\nxref"...), out[at+6:]...)
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_second_trailer", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			f := forge(pdf).object(20, "<</Type /Catalog /Pages 21 0 R>>").object(21, "<</Type /Pages /Kids [22 0 R] /Count 1>>").
				object(22, "<</Type /Page /Parent 21 0 R /MediaBox [0 0 300 300] /Contents 23 0 R>>").object(23, stream("", evilText))
			out := f.end()
			out = bytes.Replace(out, []byte("startxref\n"+fmt.Sprint(lastStartxref(out))), fmt.Appendf(nil, "trailer\n<</Root 20 0 R /Size 24>>\nstartxref\n%%x\n%d", lastStartxref(out)), 1)
			return out
		}, want: signing.ChangedAfterSigning},

	// Cross-references.
	{name: "changed_after_signing_free_entry_of_number_one", base: func(w *world) []byte {
		pdf := plainPDF(stream("", goodText), "<</Type /Catalog /Pages 3 0 R>>", "<</Type /Pages /Kids [4 0 R] /Count 1>>",
			"<</Type /Page /Parent 3 0 R /MediaBox [0 0 300 300] /Contents 1 0 R /Resources <<>>>>")
		return w.signed(bytes.Replace(pdf, []byte("/Root 1 0 R"), []byte("/Root 2 0 R"), 1))
	},
		forge: func(_ *world, pdf []byte) []byte {
			f := forge(pdf).row(1, "0000000007 65535 f \n")
			f.trailer = "/Root 2 0 R"
			return f.end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_freed_in_the_table_kept_by_its_stream", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			f := forge(pdf)
			f.trailer = fmt.Sprintf("/XRefStm %d", f.xrefStream(30, 4, bytes.Index(pdf, []byte("4 0 obj"))))
			return f.row(4, "0000000000 00001 f \n").end()
		}, want: signing.ChangedAfterSigning},
	{name: "revision_unreadable_size_too_small", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			return bytes.Replace(forge(pdf).row(0, "0000000000 65535 f \n").end(), []byte("/Size 3000"), []byte("/Size 4"), 1)
		}, want: signing.RevisionUnreadable},
	{name: "changed_after_signing_packed_object_cut_off", base: func(w *world) []byte {
		return w.signed(plainPDF(catalogBody, pagesBody, strings.Replace(pageBody, "<<>>", "<</ExtGState 5 0 R>>", 1),
			stream("", "/G gs "+goodText), "<</A <<>> /G <</ca 1>> /B <<>>>>"))
	},
		forge: func(_ *world, pdf []byte) []byte {
			body := bodyOf(pdf, 3)
			f := forge(pdf)
			here := len(f.out)
			head := fmt.Sprintf("3 0 90 %d ", strings.Index(body, "/Contents"))
			f.text("50 0 obj\n%s\nendobj\n", stream(fmt.Sprintf("/Type /ObjStm /N 2 /First %d", len(head)), head+body))
			at := len(f.out)
			row := func(kind byte, at, index int) string {
				return string([]byte{kind, byte(at >> 16), byte(at >> 8), byte(at), byte(index)})
			}
			rows := row(2, 50, 0) + row(1, here, 0) + row(1, at, 0)
			return f.text("51 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n", stream(fmt.Sprintf("/Type /XRef /W [1 3 1] /Index [3 1 50 2] /Size 3000 /Root 1 0 R /Prev %d", f.prev), rows), at).out
		}, want: signing.ChangedAfterSigning},

	// Layers.
	{name: "changed_after_signing_layers_brought_by_a_new_object", base: func(w *world) []byte {
		return w.signed(plainPDF(catalogBody, pagesBody, strings.Replace(pageBody, "<<>>", "<</Properties <</L 5 0 R>>>>", 1),
			stream("", "/OC /L BDC "+goodText+" EMC"), "<</Type /OCG /Name (a)>>"))
	},
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(1, inserted(bodyOf(pdf, 1), "/OCProperties 20 0 R")).
				object(20, "<</OCGs [5 0 R] /D <</OFF [5 0 R]>>>>").end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_layer_put_out_by_a_new_list", base: func(w *world) []byte {
		return w.signed(plainPDF(strings.Replace(catalogBody, "/Pages", "/OCProperties <</OCGs [5 0 R] /D <<>>>> /Pages", 1), pagesBody, strings.Replace(pageBody, "<<>>", "<</Properties <</L 5 0 R>>>>", 1),
			stream("", "/OC /L BDC "+goodText+" EMC"), "<</Type /OCG /Name (a)>>"))
	},
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(1, strings.Replace(bodyOf(pdf, 1), "/D <<>>", "/D <</OFF 20 0 R>>", 1)).object(20, "[5 0 R]").end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_membership_with_a_page", base: func(w *world) []byte {
		return w.signed(plainPDF(strings.Replace(catalogBody, "/Pages", "/OCProperties <</OCGs [5 0 R] /D <<>>>> /Pages", 1), pagesBody, strings.Replace(pageBody, "<<>>", "<</Properties <</L 6 0 R>>>>", 1),
			stream("", "/OC /L BDC "+goodText+" EMC"), "<</Type /OCG /Name (a)>>", "<</Type /OCMD /OCGs [5 0 R] /Rect [0 0 1 1]>>"))
	},
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(6, inserted(bodyOf(pdf, 6), "/P /AllOff")).end()
		}, want: signing.ChangedAfterSigning},

	// Objects in two roles.
	{name: "changed_after_signing_resources_are_looks", base: func(w *world) []byte {
		return w.signed(plainPDF(catalogBody, pagesBody, strings.Replace(pageBody, "/Resources <<>>", "/Resources 5 0 R /Annots [6 0 R]", 1),
			stream("", goodText), "<<>>", "<</Type /Annot /Subtype /Stamp /Rect [10 10 90 90] /F 4 /AP 5 0 R>>"))
	},
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(5, "<</N 20 0 R>>").object(20, stream("/Type /XObject /Subtype /Form /BBox [0 0 90 90]", evilText)).end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_named_objects_are_looks", base: func(w *world) []byte {
		return w.signed(plainPDF(catalogBody, pagesBody, strings.Replace(pageBody, "/Resources <<>>", "/Resources <</XObject 5 0 R>> /Annots [6 0 R]", 1),
			stream("", goodText), "<<>>", "<</Type /Annot /Subtype /Stamp /Rect [10 10 90 90] /F 4 /AS /On /AP <</N 5 0 R>>>>"))
	},
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(5, "<</On 20 0 R>>").object(20, stream("/Type /XObject /Subtype /Form /BBox [0 0 90 90]", evilText)).end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_name_called_by_a_form", base: func(w *world) []byte {
		return w.signed(plainPDF(catalogBody, pagesBody, strings.Replace(pageBody, "<<>>", "<</XObject <</Fm 5 0 R>>>>", 1),
			stream("", goodText+" /Fm Do"), stream("/Type /XObject /Subtype /Form /BBox [0 0 90 90]", "/Evil Do")))
	},
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(3, strings.Replace(bodyOf(pdf, 3), "/Fm 5 0 R", "/Fm 5 0 R /Evil 20 0 R", 1)).
				object(20, stream("/Type /XObject /Subtype /Form /BBox [0 0 90 90]", evilText)).end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_name_called_by_a_look", base: func(w *world) []byte {
		return w.signed(plainPDF(catalogBody, pagesBody, strings.Replace(pageBody, "/Resources <<>>", "/Resources 7 0 R /Annots [6 0 R]", 1),
			stream("", goodText), stream("/Type /XObject /Subtype /Form /BBox [0 0 90 90] /Resources 7 0 R", "/Evil Do"),
			"<</Type /Annot /Subtype /Stamp /Rect [10 10 90 90] /F 4 /AP <</N 5 0 R>>>>", "<<>>"))
	},
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(7, "<</XObject <</Evil 20 0 R>>>>").
				object(20, stream("/Type /XObject /Subtype /Form /BBox [0 0 90 90]", evilText)).end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_hidden_annotation_like_a_bookmark", base: func(w *world) []byte {
		return w.signed(plainPDF(catalogBody, pagesBody, strings.Replace(pageBody, "/Resources", "/Annots [6 0 R] /Resources", 1),
			stream("", goodText), stream("/Type /XObject /Subtype /Form /BBox [0 0 90 90]", evilText),
			"<</Subtype /Stamp /Rect [10 10 90 90] /F 2 /Title (a) /Parent 3 0 R /AP <</N 5 0 R>>>>"))
	},
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(6, strings.Replace(bodyOf(pdf, 6), "/F 2", "/F 4", 1)).end()
		}, want: signing.ChangedAfterSigning},

	// Forms.
	{name: "additions_uncovered_field_of_before_laid_on_the_page", base: func(w *world) []byte {
		return w.signed(plainPDF(strings.Replace(catalogBody, "/Pages", "/AcroForm <</Fields [5 0 R] /SigFlags 3>> /Pages", 1), pagesBody, pageBody,
			stream("", goodText), "<</Type /Annot /Subtype /Widget /FT /Sig /T (x) /F 4 /Rect [10 10 200 200] /AP <</N 6 0 R>>>>",
			stream("/Type /XObject /Subtype /Form /BBox [0 0 90 90]", evilText)))
	},
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(3, strings.Replace(bodyOf(pdf, 3), "/Annots [", "/Annots [5 0 R ", 1)).end()
		}, want: signing.AdditionsUncovered},
	{name: "additions_uncovered_default_look_of_fields", base: func(w *world) []byte {
		return w.signed(plainPDF(strings.Replace(catalogBody, "/Pages", "/AcroForm 6 0 R /Pages", 1), pagesBody, strings.Replace(pageBody, "/Resources", "/Annots [5 0 R] /Resources", 1),
			stream("", goodText), "<</Type /Annot /Subtype /Widget /FT /Tx /T (x) /V (1000) /F 4 /Rect [10 100 200 200]>>",
			"<</Fields [5 0 R] /NeedAppearances true /DA (/F 20 Tf 0 g) /DR <</Font <</F 7 0 R>>>>>>", helvetica))
	},
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(6, strings.Replace(bodyOf(pdf, 6), "0 g", "1 g", 1)).end()
		}, want: signing.AdditionsUncovered},
	{name: "changed_after_signing_form_is_an_annotation", base: func(w *world) []byte {
		return w.signed(plainPDF(strings.Replace(catalogBody, "/Pages", "/AcroForm 5 0 R /Pages", 1), pagesBody, strings.Replace(pageBody, "/Resources", "/Annots [5 0 R] /Resources", 1),
			stream("", goodText), "<</Type /Annot /Subtype /FreeText /Contents (1000) /F 4 /Rect [10 100 200 200] /DA (/Helv 20 Tf 0 g) /Fields []>>"))
	},
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(5, strings.Replace(bodyOf(pdf, 5), "0 g", "1 g", 1)).end()
		}, want: signing.ChangedAfterSigning},
}

func deflated(data string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write([]byte(data))
	_ = z.Close()
	return b.String()
}

func TestPDFReaderCorpus(t *testing.T) {
	runAttacks(t, readerCases)
}
