package server

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// signer is the certificate of a person (or of the agency itself, when person is empty).
func signer(t *testing.T, person, agency, code string) *testpki.Identity {
	t.Helper()
	id, err := testPKI(t).Person(person, agency, code)
	check(t, err)
	return id
}

// pdfBy makes a PDF signed by each in turn.
func pdfBy(t *testing.T, name string, signers ...*testpki.Identity) file {
	t.Helper()
	pdf, err := testpki.PDF(testpki.Document{Subject: "Về việc " + name})
	check(t, err)
	for _, id := range signers {
		pdf, err = testpki.SignPDF(pdf, testpki.PDFSignature{Signer: id, Time: testNow})
		check(t, err)
	}
	return file{name, "application/pdf", pdf}
}

// TestPartsAndSender: real submissions are warned of the signatures that they lack and of seals that are not the sender's,
// and are taken all the same; a predecessor's seal counts after a reform.
func TestPartsAndSender(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	_, err := a.Store.ImportAgencies(t.Context(), []routing.Agency{
		{Code: "H09", Name: "UBND tỉnh Bình Dương", Kind: "province", Status: routing.Closed, Successors: []routing.Code{"H29"}, Decision: "QĐ 09/2025/QĐ-TTg"},
		{Code: "H09.15", Name: "Sở Y tế tỉnh Bình Dương", Parent: "H09", Kind: "department", Status: routing.Closed, Successors: []routing.Code{"H29.12"}, Decision: "QĐ 09/2025/QĐ-TTg"},
	}, "test", a.clock())
	check(t, err)
	check(t, a.reload(t.Context()))
	const own = "Sở Y tế Thành phố Hồ Chí Minh"
	leader, seal := signer(t, "Nguyễn Văn Thử", own, "H29.12"), signer(t, "", own, "H29.12")
	former, stranger := signer(t, "", "Sở Y tế tỉnh Bình Dương", "H09.15"), signer(t, "", "UBND thành phố Hà Nội", "H26")

	for n, c := range []struct {
		name   string
		files  []file
		kind   string
		parts  []signing.Part
		want   [][]signing.Reason
		sender signing.SenderMatch // of the first file's last signature
	}{
		{name: "leader and seal", files: []file{pdfBy(t, "a.pdf", leader, seal)}, parts: []signing.Part{signing.PartMain},
			want: [][]signing.Reason{nil}, sender: signing.SenderSame},
		{name: "leader only", files: []file{pdfBy(t, "a.pdf", leader)}, parts: []signing.Part{signing.PartMain},
			want: [][]signing.Reason{{signing.AgencyMissing}}, sender: signing.SenderSame},
		{name: "predecessor's seal", files: []file{pdfBy(t, "a.pdf", leader, former)}, parts: []signing.Part{signing.PartMain},
			want: [][]signing.Reason{{signing.SenderPredecessor}}, sender: signing.SenderFormer},
		{name: "a stranger's seal", files: []file{pdfBy(t, "a.pdf", leader, stranger)}, parts: []signing.Part{signing.PartMain},
			want: [][]signing.Reason{{signing.SenderOther}}, sender: signing.SenderDiffers},
		{name: "unsigned appendix", files: []file{pdfBy(t, "a.pdf", leader, seal), pdfBy(t, "b.pdf")},
			parts: []signing.Part{signing.PartMain, signing.PartAppendix}, want: [][]signing.Reason{nil, {signing.AppendixUnsealed}}, sender: signing.SenderSame},
		{name: "appendix first", files: []file{pdfBy(t, "Phụ lục I.pdf", seal), pdfBy(t, "van-ban.pdf", leader, seal)},
			parts: []signing.Part{signing.PartAppendix, signing.PartMain}, want: [][]signing.Reason{nil, nil}, sender: signing.SenderSame},
		{name: "table before the document", files: []file{{"bieu.csv", "text/csv", []byte("a;b\n")}, pdfBy(t, "van-ban.pdf", leader, seal)},
			parts: []signing.Part{signing.PartAppendix, signing.PartMain}, want: [][]signing.Reason{nil, nil}},
		{name: "copy", files: []file{pdfBy(t, "a.pdf", leader)}, kind: "Bản sao y", parts: []signing.Part{signing.PartCopy},
			want: [][]signing.Reason{{signing.CopyUnsealed}}, sender: signing.SenderSame},
	} {
		meta := letter(fmt.Sprintf("H29.12-2026-P%d", n), "H26")
		if c.kind != "" {
			meta["type"] = map[string]any{"name": c.kind}
		}
		id := a.submit("H29.12", meta, c.files...).want(t, 201).json["id"].(string)
		a.call("H29.12", "GET", "/api/v1/dispatches/"+id, nil).want(t, 200)
		var view struct{ Files []signing.FileReport }
		check(t, json.Unmarshal(a.call("H29.12", "GET", "/api/v1/dispatches/"+id+"/verification", nil).want(t, 200).raw, &view))
		for i, f := range view.Files {
			var found []signing.Reason
			for _, r := range f.Reasons {
				if !slices.Contains([]signing.Reason{signing.NoTimestamp, signing.TestAnchor, signing.NoSignature}, r) {
					found = append(found, r)
				}
			}
			if f.Part != c.parts[i] || !slices.Equal(found, c.want[i]) {
				t.Errorf("%s, %s: part %q, reasons %v; want %q, %v", c.name, f.Name, f.Part, found, c.parts[i], c.want[i])
			}
			if want := signing.Valid; len(f.Signatures) > 0 && f.Verdict != want {
				t.Errorf("%s, %s: %s %v", c.name, f.Name, f.Verdict, f.Reasons)
			}
		}
		if s := view.Files[0].Signatures; c.sender != "" && s[len(s)-1].Sender != c.sender {
			t.Errorf("%s: the last seal's match is %q, want %q", c.name, s[len(s)-1].Sender, c.sender)
		}
	}
}

func TestNamedAppendix(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"Phụ lục I.pdf": true, "PHU_LUC_2.pdf": true, "phuluc.pdf": true, "PL01.pdf": true, "pl iv.pdf": true,
		"plan.pdf": false, "van-ban.pdf": false, "Quyết định ban hành phụ lục.pdf": false} {
		if namedAppendix(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}
