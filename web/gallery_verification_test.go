package web

import (
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

// issuedReport is daily practice: the leader signs, the văn thư adds number, date and seal, an appendix is not signed.
func issuedReport() signing.Report {
	name := "cong-dien.pdf"
	path := []string{"CN=TEST Issuing CA,O=TEST,C=VN", "CN=TEST Root CA,O=TEST,C=VN"}
	leader := signing.SignatureReport{File: name, Number: 1, Kind: "pdf", Field: "Signature1", Page: 2, Rect: &signing.Rect{330, 130, 470, 210}, Verdict: signing.Valid,
		Reasons: []signing.Reason{signing.AdditionsCovered, signing.TestAnchor}, Covers: signing.CoversRevision, After: signing.AfterAdditions, Role: signing.RolePerson,
		Signer: "Nguyễn Văn Thử", Organization: "Sở Y tế Thành phố Hồ Chí Minh", Unit: "Ban Giám đốc", Email: "thu.nv@example.vn", AgencyCode: "H29.12", Serial: "5401c0ffee",
		Issuer: "CN=TEST Issuing CA,O=TEST,C=VN", NotBefore: galleryNow.AddDate(-1, 0, 0), NotAfter: galleryNow.AddDate(2, 0, 0), Path: append([]string{"CN=Nguyễn Văn Thử,O=Sở Y tế,C=VN"}, path...),
		Family: signing.FamilyOfficial, Test: true, Time: galleryNow.Add(-27 * time.Hour), TimeSource: signing.TimeFromTimestamp, Authority: "TEST TSA", Claimed: galleryNow.Add(-27*time.Hour - time.Second),
		DigestAlgorithm: "SHA-256", SignatureAlgorithm: "RSA-2048 PKCS#1 v1.5", Sender: signing.SenderSame,
		Revocation:     signing.RevocationReport{Status: "good", Source: "crl", ThisUpdate: galleryNow.Add(-30 * time.Hour), NextUpdate: galleryNow.AddDate(0, 0, 6)},
		PathRevocation: []signing.RevocationReport{{Status: "good"}, {Certificate: "CN=TEST Issuing CA,O=TEST,C=VN", Status: "good", Source: "crl", ThisUpdate: galleryNow.Add(-30 * time.Hour)}},
		Timestamps: []signing.Stamp{{Kind: signing.StampSignature, Verdict: signing.Valid, Time: galleryNow.Add(-27 * time.Hour), Authority: "TEST TSA",
			NotBefore: galleryNow.AddDate(-1, 0, 0), NotAfter: galleryNow.AddDate(4, 0, 0), Revocation: signing.RevocationReport{Status: "good", Source: "crl", ThisUpdate: galleryNow.Add(-30 * time.Hour)}}},
		Marks: []signing.Mark{{Page: 1, Rect: signing.Rect{80, 735, 230, 755}, Kind: "FreeText"}, {Page: 1, Rect: signing.Rect{310, 735, 520, 755}, Kind: "FreeText"},
			{Page: 2, Rect: signing.Rect{285, 120, 385, 220}, Kind: "Widget"}},
		Sentence: signing.Sentence{VI: "Chữ ký số của Nguyễn Văn Thử (người có thẩm quyền): Hợp lệ. Nội dung đã ký số chưa bị thay đổi. Tuy nhiên, tài liệu đã có bổ sung sau khi ký.",
			EN: "The signature of Nguyễn Văn Thử (competent person): Valid. The signed content is unchanged; something was added after signing."}}
	seal := leader
	seal.Number, seal.Field, seal.Rect, seal.Role = 2, "Signature2", &signing.Rect{285, 120, 385, 220}, signing.RoleAgency
	seal.Signer, seal.Unit, seal.Email, seal.Marks = "Sở Y tế Thành phố Hồ Chí Minh", "", "", nil
	seal.Timestamps = nil
	seal.Covers, seal.After, seal.TimeSource, seal.Authority, seal.Time = signing.CoversWhole, signing.AfterNothing, signing.TimeFromReception, "", galleryNow.Add(-26*time.Hour)
	seal.Reasons = []signing.Reason{signing.NoTimestamp, signing.TestAnchor}
	seal.Sentence = signing.Sentence{VI: "Chữ ký số của Sở Y tế Thành phố Hồ Chí Minh (cơ quan, tổ chức): Hợp lệ.", EN: "The signature of Sở Y tế Thành phố Hồ Chí Minh (agency): Valid."}
	return signing.Report{Verdict: signing.Valid, Sentence: signing.Sentence{VI: "Hợp lệ.", EN: "Valid."}, Files: []signing.FileReport{
		{Name: name, SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", Verdict: signing.Valid, Signatures: []signing.SignatureReport{leader, seal},
			Flags: []signing.Reason{signing.EmbeddedFile}},
		{Name: "phu-luc.pdf", SHA256: "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752", Verdict: signing.Unsigned, Reasons: []signing.Reason{signing.NoSignature}}}}
}

// issuedView is a document page with that report.
func issuedView(role storage.Role) dispatchView {
	v := galleryView(role)
	v.Report, v.Verdict, v.HeldFor, v.HeldBy = issuedReport(), signing.Valid, "", ""
	v.Attachments[0].Verdict, v.Attachments[0].SHA256, v.Attachments[1].SHA256 = signing.Valid, v.Report.Files[0].SHA256, v.Report.Files[1].SHA256
	v.history = []storage.Verification{{N: 1, Verdict: signing.Undetermined}, {N: 2, At: v.AcceptedAt.Add(10 * time.Minute), By: "truc",
		Occasion: storage.NewData, Before: signing.Undetermined, Verdict: signing.Valid}}
	v.deliveries, v.states, v.statuses = v.deliveries[:1], map[storage.State]int{storage.Delivered: 1}, map[storage.Status]int{storage.Returned: 1}
	return v
}

// record is the sheet of a document that was undetermined at reception and whose verdict came later.
func record(change func(*dispatchView)) verificationPage {
	v := issuedView(storage.Clerk)
	if change != nil {
		change(&v)
	}
	first := signing.Report{Verdict: signing.Undetermined, Files: []signing.FileReport{{Verdict: signing.Undetermined, Reason: signing.RevocationMissing}}}
	item := func(c string) storage.EvidenceItem {
		return storage.EvidenceItem{SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a" + c, Size: 1420, Kept: true}
	}
	evidence := storage.Evidence{Software: "truc 1.0", Trust: item("01"), Revocation: signing.Require, At: v.AcceptedAt, Signatures: []storage.SignatureEvidence{
		{File: v.Attachments[0].Name, Number: 1, Certificates: []storage.EvidenceItem{item("11"), item("12")}, CRLs: []storage.EvidenceItem{item("13")}, Tokens: []storage.EvidenceItem{item("14")}}}}
	return newVerification(v.seen, []storage.Verification{
		{N: 1, At: v.AcceptedAt, By: "truc", Occasion: storage.AtReception, Verdict: signing.Undetermined, Report: first},
		{N: 2, At: v.AcceptedAt.Add(10 * time.Minute), By: "truc", Occasion: storage.NewData, Before: signing.Undetermined, Verdict: v.Verdict, Report: v.Report, Evidence: evidence},
	}, v.viewer, galleryNow)
}

func verificationPictures() []picture {
	title := issuedView(storage.Clerk).page().Title(nil)
	strange := func(v *dispatchView) { v.Dispatch = probed().Dispatch }
	return []picture{
		{"dispatch-issued", "dispatch", title, storage.Clerk, false, issuedView(storage.Clerk).page()},
		{"dispatch-issued-operator", "dispatch", title, storage.Operator, false, issuedView(storage.Operator).page()},
		{"verification", "verification", verificationTitle, storage.Clerk, false, record(nil)},
		{"verification-english", "verification", verificationTitle, storage.Clerk, true, record(nil)},
		{"verification-probes", "verification", verificationTitle, storage.Clerk, false, record(strange)},
	}
}
