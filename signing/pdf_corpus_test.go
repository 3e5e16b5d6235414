package signing_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// pdfCase is one file of the corpus. want is the reason it must be given; "" for a valid one, which pdfsig must accept too.
type pdfCase struct {
	name    string
	make    func(w *world) []byte
	verdict signing.Verdict
	want    signing.Reason
	after   signing.After // of the first signature
	flag    signing.Reason
	options func(w *world, o *signing.Options)
	pdfsig  int // how many signatures pdfsig must find good
}

func (w *world) pdf() []byte {
	b, err := testpki.PDF(testpki.Document{})
	w.must(err)
	return b
}

func (w *world) signPDF(pdf []byte, s testpki.PDFSignature) []byte {
	if s.Signer == nil {
		s.Signer = w.person
	}
	if s.Time.IsZero() {
		s.Time = now
	}
	out, err := testpki.SignPDF(pdf, s)
	w.must(err)
	return out
}

func (w *world) one() []byte { return w.signPDF(w.pdf(), testpki.PDFSignature{}) }
func (w *world) seal(pdf []byte) []byte {
	return w.signPDF(pdf, testpki.PDFSignature{Signer: w.agency, Seal: true})
}

func (w *world) revise(pdf []byte, f func(r *testpki.Revision)) []byte {
	r, err := testpki.Revise(pdf)
	w.must(err)
	f(r)
	return r.Bytes()
}

// dict makes a signature with a bent dictionary.
func dict(pattern, with string) func(*world) []byte {
	return func(w *world) []byte {
		re := regexp.MustCompile(pattern)
		return w.signPDF(w.pdf(), testpki.PDFSignature{BendDict: func(b []byte) []byte {
			return re.ReplaceAllFunc(b, func(m []byte) []byte {
				return []byte((with + strings.Repeat(" ", len(m)))[:len(m)])
			})
		}})
	}
}

// ranges makes a signature whose ByteRange is computed from the right one.
func ranges(f func(a, b, c int) []int) func(*world) []byte {
	return func(w *world) []byte {
		return w.signPDF(w.pdf(), testpki.PDFSignature{BendDict: func(b []byte) []byte {
			re := regexp.MustCompile(`/ByteRange \[0 (\d+) (\d+) (\d+)\] *`)
			return re.ReplaceAllFunc(b, func(m []byte) []byte {
				var x, y, z int
				fmt.Sscanf(string(m), "/ByteRange [0 %d %d %d]", &x, &y, &z)
				text := fmt.Sprint("/ByteRange ", f(x, y, z))
				return []byte((text + strings.Repeat(" ", len(m)))[:len(m)])
			})
		}})
	}
}

var pdfCases = []pdfCase{
	// Good ones, and daily practice.
	{name: "valid_one", make: (*world).one, after: signing.AfterNothing, pdfsig: 1},
	{name: "valid_leader_then_seal", make: func(w *world) []byte { return w.seal(w.one()) }, after: signing.AfterSignatures, pdfsig: 2},
	{name: "valid_three", make: func(w *world) []byte { return w.seal(w.signPDF(w.one(), testpki.PDFSignature{})) }, after: signing.AfterSignatures, pdfsig: 3},
	{name: "valid_pkcs7_detached", make: func(w *world) []byte {
		return w.signPDF(w.pdf(), testpki.PDFSignature{SubFilter: "adbe.pkcs7.detached", CMS: &testpki.CMS{NoSigningCert: true}})
	}, pdfsig: 1},
	{name: "valid_rsa", make: func(w *world) []byte {
		return w.signPDF(w.pdf(), testpki.PDFSignature{Signer: w.issue(testpki.Request{Name: "Khóa RSA", Key: testpki.RSA2048})})
	}, pdfsig: 1},
	{name: "valid_hidden", make: func(w *world) []byte { return w.signPDF(w.pdf(), testpki.PDFSignature{Hidden: true}) }, pdfsig: 1},
	{name: "valid_timestamped", make: func(w *world) []byte { return w.signPDF(w.pdf(), testpki.PDFSignature{TSA: w.PKI}) }, pdfsig: 1},
	{name: "valid_compressed", make: func(w *world) []byte { return w.signPDF(w.compressed(), testpki.PDFSignature{}) }, pdfsig: 1},
	{name: "valid_compressed_two", make: func(w *world) []byte {
		return w.seal(w.signPDF(w.compressed(), testpki.PDFSignature{}))
	}, after: signing.AfterSignatures, pdfsig: 2},
	{name: "valid_then_dss", make: func(w *world) []byte { return w.AddValidationData(w.one()) }, after: signing.AfterSignatures},
	{name: "valid_lists_from_dss", make: func(w *world) []byte { return w.AddValidationData(w.one()) },
		options: func(w *world, o *signing.Options) { o.Trust.CRLs = nil }},
	{name: "valid_then_document_timestamp", make: func(w *world) []byte {
		return w.signPDF(w.one(), testpki.PDFSignature{SubFilter: "ETSI.RFC3161", TSA: w.PKI, Hidden: true})
	}, after: signing.AfterSignatures},
	{name: "valid_number_and_date_before_seal", make: func(w *world) []byte { return w.seal(testpki.Stamp(w.one())) },
		after: signing.AfterAdditions},
	{name: "valid_overlay_before_seal", make: func(w *world) []byte { return w.seal(testpki.Overlay(w.one())) }, after: signing.AfterAdditions},
	{name: "additions_unproven_without_anchor", make: func(w *world) []byte { return w.seal(testpki.Overlay(w.one())) },
		options: func(_ *world, o *signing.Options) { o.Trust = nil },
		verdict: signing.Undetermined, want: signing.AdditionsUnproven, after: signing.AfterAdditions},
	{name: "valid_certified", make: func(w *world) []byte { return w.signPDF(w.pdf(), testpki.PDFSignature{DocMDP: 2}) }, pdfsig: 1},
	{name: "valid_certified_then_seal", make: func(w *world) []byte {
		return w.seal(w.signPDF(w.pdf(), testpki.PDFSignature{DocMDP: 2}))
	}, after: signing.AfterSignatures},
	{name: "additions_uncovered_incoming_stamp", make: func(w *world) []byte { return testpki.Stamp(w.seal(w.one())) },
		verdict: signing.Undetermined, want: signing.AdditionsUncovered, after: signing.AfterAdditions},
	{name: "no_signature", make: (*world).pdf, verdict: signing.Unsigned, want: signing.NoSignature},
	{name: "no_signature_compressed", make: (*world).compressed, verdict: signing.Unsigned, want: signing.NoSignature},

	// Changes after signing.
	{name: "changed_after_signing_text", make: func(w *world) []byte { return testpki.ChangeAfterSigning(w.one()) }, want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_then_sealed", make: func(w *world) []byte { return w.seal(testpki.ChangeAfterSigning(w.one())) }, want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_issued", make: func(w *world) []byte {
		return testpki.ChangeAfterSigning(w.seal(testpki.Overlay(w.one())))
	}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_both", make: func(w *world) []byte { return testpki.ChangeAfterSigning(w.seal(w.one())) }, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_overlay_uncovered", make: func(w *world) []byte { return testpki.Overlay(w.one()) }, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_page_added", make: func(w *world) []byte { return testpki.AddPage(w.one()) }, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_page_added_then_sealed", make: func(w *world) []byte { return w.seal(testpki.AddPage(w.one())) }, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_tail", make: func(w *world) []byte { return append(w.one(), "nothing to see"...) }, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_tail_newline", make: func(w *world) []byte { return append(w.one(), '\n') }, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_page_dictionary", make: func(w *world) []byte {
		return w.revise(w.one(), func(r *testpki.Revision) { r.Insert(r.Page(), "/Rotate 180") })
	}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_catalog", make: func(w *world) []byte {
		return w.revise(w.one(), func(r *testpki.Revision) { r.Insert(r.Root(), "/OpenAction <</S /JavaScript /JS (app.alert\\(1\\))>>") })
	}, want: signing.ChangedAfterSigning, flag: signing.JavaScript},
	{name: "changed_after_signing_appearance", make: func(w *world) []byte {
		return w.revise(w.one(), func(r *testpki.Revision) {
			widget := firstNumber(r.Object(r.Form()), "/Fields [ ")
			look := r.Stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9]", "0 0 9 9 re f")
			old := testpki.Ref(r.Object(widget), "/AP <</N")
			r.Replace(widget, fmt.Sprintf("/N %d 0 R", old), fmt.Sprintf("/N %d 0 R", look))
		})
	}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_fake_widget", make: func(w *world) []byte {
		return w.revise(w.one(), func(r *testpki.Revision) { r.Annotate("/Subtype /Widget /FT /Sig /T (Gia) /Rect [10 10 90 90]") })
	}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_second_field_same_value", make: func(w *world) []byte {
		return w.revise(w.one(), func(r *testpki.Revision) {
			sig := firstNumber(r.Object(firstNumber(r.Object(r.Form()), "/Fields [ ")), "/V ")
			r.Field(r.Annotate(fmt.Sprintf("/Subtype /Widget /FT /Sig /T (Hai) /V %d 0 R /Rect [10 10 90 90]", sig)))
		})
	}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_dangling_reference", make: func(w *world) []byte {
		pdf := w.revise(w.pdf(), func(r *testpki.Revision) {
			page := r.Object(r.Page())
			was := testpki.Ref(page, "/Contents")
			r.Replace(r.Page(), fmt.Sprintf("/Contents %d 0 R", was), fmt.Sprintf("/Contents [%d 0 R 900 0 R]", was))
		})
		return w.revise(w.signPDF(pdf, testpki.PDFSignature{}), func(r *testpki.Revision) {
			text := "1 0 0 rg 0 0 595 842 re f"
			r.Set(900, fmt.Appendf(nil, "<</Length %d>>\nstream\n%s\nendstream", len(text), text))
		})
	}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_certified_annotation", make: func(w *world) []byte {
		return testpki.Stamp(w.signPDF(w.pdf(), testpki.PDFSignature{DocMDP: 1}))
	}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_certified_2_annotation_sealed", make: func(w *world) []byte {
		return w.seal(testpki.Stamp(w.signPDF(w.pdf(), testpki.PDFSignature{DocMDP: 2})))
	}, want: signing.ChangedAfterSigning},
	{name: "signature_removed", make: func(w *world) []byte { return testpki.RemoveSignatures(w.one()) }, want: signing.SignatureRemoved},
	{name: "digest_mismatch", make: func(w *world) []byte { return testpki.ChangeSigned(w.seal(w.one())) }, want: signing.DigestMismatch},

	// Forged ranges and values.
	{name: "byterange_forged_zero", make: dict(`/ByteRange \[[^\]]*\]`, "/ByteRange [0 0 0 0]"), want: signing.ByteRangeForged},
	{name: "byterange_forged_absent", make: dict(`/ByteRange \[[^\]]*\]`, ""), want: signing.ByteRangeForged},
	{name: "byterange_forged_three", make: dict(`/ByteRange \[[^\]]*\]`, "/ByteRange [0 10 20]"), want: signing.ByteRangeForged},
	{name: "byterange_forged_reals", make: dict(`/ByteRange \[0 `, "/ByteRange [0."), want: signing.ByteRangeForged},
	{name: "byterange_forged_wider_gap", make: ranges(func(a, b, c int) []int { return []int{0, a - 8, b, c} }), want: signing.ByteRangeForged},
	{name: "byterange_forged_gap_behind", make: ranges(func(a, b, c int) []int { return []int{0, a, b + 4, c - 4} }), want: signing.ByteRangeForged},
	{name: "byterange_forged_no_prefix", make: ranges(func(a, b, c int) []int { return []int{9, a - 9, b, c} }), want: signing.ByteRangeForged},
	{name: "byterange_forged_overlap", make: ranges(func(a, b, c int) []int { return []int{0, b, a, c} }), want: signing.ByteRangeForged},
	{name: "byterange_forged_past_end", make: ranges(func(a, b, c int) []int { return []int{0, a, b, c + 1} }), want: signing.ByteRangeForged},
	{name: "byterange_forged_short_of_end", make: ranges(func(a, b, c int) []int { return []int{0, a, b, c - 20} }), want: signing.ByteRangeForged},
	{name: "byterange_forged_negative", make: ranges(func(a, b, c int) []int { return []int{0, a, b, -c} }), want: signing.ByteRangeForged},
	{name: "byterange_forged_doubled_key", make: dict(`/Filter /Adobe.PPKLite`, "/Contents <00>"), want: signing.ByteRangeForged},
	{name: "cms_malformed_zero_contents", make: func(w *world) []byte {
		return w.signPDF(w.pdf(), testpki.PDFSignature{CMS: &testpki.CMS{Bend: func(p string, b []byte) []byte {
			if p == "contentInfo" {
				return make([]byte, len(b))
			}
			return b
		}}})
	}, want: signing.CMSMalformed},
	{name: "cms_trailing_data", make: func(w *world) []byte {
		return w.signPDF(w.pdf(), testpki.PDFSignature{CMS: &testpki.CMS{Bend: func(p string, b []byte) []byte {
			if p == "contentInfo" {
				return append(b, 0, 0, 1)
			}
			return b
		}}})
	}, want: signing.CMSTrailingData},
	{name: "detached_has_content", make: func(w *world) []byte {
		return w.signPDF(w.pdf(), testpki.PDFSignature{CMS: &testpki.CMS{Bend: func(p string, b []byte) []byte {
			if p == "encapContentInfo" {
				return der(0x30, inner(b), der(0xA0, der(4, []byte("khác"))))
			}
			return b
		}}})
	}, want: signing.DetachedHasContent},
	{name: "signature_mismatch", make: func(w *world) []byte {
		return w.signPDF(w.pdf(), testpki.PDFSignature{CMS: &testpki.CMS{Bend: func(p string, b []byte) []byte {
			if p == "signature" {
				return flip(b)
			}
			return b
		}}})
	}, want: signing.SignatureMismatch},
	{name: "unsupported_format_sha1_filter", make: dict(`/SubFilter /ETSI.CAdES.detached`, "/SubFilter /adbe.pkcs7.sha1"), want: signing.UnsupportedFormat, verdict: signing.Undetermined},
	{name: "signature_dictionary_invalid", make: dict(`/SubFilter /ETSI.CAdES.detached`, ""), want: signing.SignatureDictInvalid},
	{name: "certificate_expired_then_valid_seal", make: func(w *world) []byte {
		old := w.issue(testpki.Request{Name: "Hết hạn", From: now.AddDate(-2, 0, 0), Until: now.AddDate(-1, 0, 0)})
		return w.seal(w.signPDF(w.pdf(), testpki.PDFSignature{Signer: old}))
	}, want: signing.CertificateExpired},

	// The file.
	{name: "pdf_encrypted", make: func(w *world) []byte {
		return bytes.Replace(w.pdf(), []byte("/Root "), []byte("/Encrypt <<>> /Root "), 1)
	}, want: signing.PDFEncrypted, verdict: signing.Undetermined},
	{name: "digest_mismatch_startxref_spoilt", make: func(w *world) []byte {
		return bytes.ReplaceAll(w.one(), []byte("startxref"), []byte("startxxxx"))
	}, want: signing.DigestMismatch},
	{name: "pdf_malformed_unsigned", make: func(w *world) []byte { return []byte("%PDF-1.4 and no more") },
		verdict: signing.Unsigned, flag: signing.PDFMalformed},
	{name: "flag_launch", make: func(w *world) []byte {
		return w.signPDF(w.revise(w.pdf(), func(r *testpki.Revision) { r.Annotate("/Subtype /Link /Rect [0 0 9 9] /A <</S /Launch /F (cmd.exe)>>") }), testpki.PDFSignature{})
	}, flag: signing.LaunchAction, pdfsig: 1},
	{name: "flag_embedded_executable", make: func(w *world) []byte {
		return w.signPDF(w.revise(w.pdf(), func(r *testpki.Revision) {
			r.Annotate("/Subtype /FileAttachment /Rect [0 0 9 9] /FS <</Type /Filespec /F (hop-dong.pdf.EXE)>>")
		}), testpki.PDFSignature{})
	}, flag: signing.EmbeddedExecutable, pdfsig: 1},
	{name: "flag_version_old", make: func(w *world) []byte {
		pdf := w.pdf()
		copy(pdf, "%PDF-1.3")
		return w.signPDF(pdf, testpki.PDFSignature{})
	}, flag: signing.PDFOld, pdfsig: 1},
}

func (w *world) compressed() []byte {
	b, err := testpki.Compressed(w.pdf())
	w.must(err)
	return b
}

func firstNumber(b []byte, after string) int {
	n := 0
	if at := bytes.Index(b, []byte(after)); at >= 0 {
		fmt.Sscanf(string(b[at+len(after):]), "%d", &n)
	}
	return n
}

func TestPDFCorpus(t *testing.T) {
	t.Parallel()
	for _, c := range pdfCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			pdf := w.keep(".pdf", c.make(w))
			o := w.options()
			if c.options != nil {
				c.options(w, &o)
			}
			report := verify(inside(pdf), o)
			c.check(t, report)
			if c.pdfsig > 0 {
				pdfsigAccepts(t, pdf, c.pdfsig)
			}
		})
	}
}

func (c pdfCase) check(t *testing.T, report signing.Report) {
	t.Helper()
	f := report.Files[0]
	cmsCase{verdict: c.verdict, want: c.want}.check(t, report)
	if c.after != "" && (len(f.Signatures) == 0 || f.Signatures[0].After != c.after) {
		t.Errorf("not %s after the first of %d signatures", c.after, len(f.Signatures))
	}
	if c.flag != "" && !hasReason(f.Flags, c.flag) {
		t.Errorf("flags %v, want %s", f.Flags, c.flag)
	}
	if c.flag == "" && len(f.Flags) > 0 {
		t.Errorf("flags %v, want none", f.Flags)
	}
}

// pdfsigAccepts cross-checks with another implementation. It knows no root of ours, so it is asked for the signatures only.
func pdfsigAccepts(t *testing.T, pdf []byte, want int) {
	t.Helper()
	if _, err := exec.LookPath("pdfsig"); err != nil {
		t.Skip("pdfsig is not on PATH")
	}
	path := filepath.Join(t.TempDir(), "a.pdf")
	if err := os.WriteFile(path, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := exec.Command("pdfsig", "-nocert", path).CombinedOutput()
	if strings.Count(string(out), "Signature is Valid") != want {
		t.Errorf("pdfsig finds other than %d good signatures:\n%s", want, out)
	}
}
