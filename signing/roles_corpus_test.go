package signing_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"testing"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
	"golang.org/x/text/unicode/norm"
)

var (
	oidUID       = asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}
	oidGivenName = asn1.ObjectIdentifier{2, 5, 4, 42}
	oidTitle     = asn1.ObjectIdentifier{2, 5, 4, 12}
	oidOrgID     = asn1.ObjectIdentifier{2, 5, 4, 97}
)

// named makes a signer with exactly that subject.
func (w *world) named(n pkix.Name) *testpki.Identity {
	return w.issue(testpki.Request{Name: "x", Edit: func(c *x509.Certificate) { c.Subject = n }})
}

// subject is a name of CN, O and further attributes.
func subject(cn, o string, more ...pkix.AttributeTypeAndValue) pkix.Name {
	n := pkix.Name{CommonName: cn, ExtraNames: more}
	if o != "" {
		n.Organization = []string{o}
	}
	return n
}

func attr(id asn1.ObjectIdentifier, v string) pkix.AttributeTypeAndValue {
	return pkix.AttributeTypeAndValue{Type: id, Value: v}
}

func TestRoleOfCertificates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		name string
		of   pkix.Name
		want signing.Role
	}{
		{"person_of_an_agency", subject("Nguyễn Văn An", "Sở Nội vụ"), signing.RolePerson},
		{"person_in_capitals", subject("NGUYỄN THỊ BÍCH NGỌC", "UBND TỈNH BẮC NINH"), signing.RolePerson},
		{"person_whose_surname_is_vu", subject("Vũ Đức Đam", "Văn phòng Chính phủ"), signing.RolePerson},
		{"person_whose_surname_is_doan", subject("Đoàn Văn Hậu", "Sở Nội vụ"), signing.RolePerson},
		{"person_whose_surname_is_ban", subject("Bàn Thị Lan", "UBND xã Tân Lập"), signing.RolePerson},
		{"person_decomposed", subject(norm.NFD.String("Vũ Thị Hòa"), "Sở Nội vụ"), signing.RolePerson},
		{"person_with_position", subject("Trần Văn Bình - Giám đốc", "Sở Y tế"), signing.RolePerson},
		{"person_with_apostrophe", subject("H'Ngăm Niê", "Sở Y tế"), signing.RolePerson},
		{"person_by_title", subject("Y Thông", "", attr(oidTitle, "Chủ tịch")), signing.RolePerson},
		{"person_by_given_name", subject("Sở", "Sở", attr(oidGivenName, "An")), signing.RolePerson},
		{"person_by_number", subject("Văn phòng", "Sở Nội vụ", attr(oidUID, "CCCD:001099000001")), signing.RolePerson},
		{"person_of_a_company_by_number", subject("Lê Văn C", "Công ty A", attr(oidUID, "CMND:123456789"), attr(oidOrgID, "VATVN-0100109106")), signing.RolePerson},
		{"person_plain", subject("Nguyen Van An", "So Noi vu"), signing.RolePerson},
		{"agency_named_like_its_organisation", subject("Sở Nội vụ", "Sở Nội vụ"), signing.RoleAgency},
		{"agency_in_another_writing", subject("UỶ BAN NHÂN DÂN TỈNH HOÀ BÌNH", "Ủy ban nhân dân tỉnh Hòa Bình"), signing.RoleAgency},
		{"agency_under_another", subject("Cổng Thông tin điện tử Chính phủ", "Văn phòng Chính phủ"), signing.RoleAgency},
		{"agency_in_capitals", subject("SỞ KHOA HỌC VÀ CÔNG NGHỆ", "UBND TỈNH BẮC NINH"), signing.RoleAgency},
		{"agency_department", subject("Vụ Pháp chế", "Bộ Tư pháp"), signing.RoleAgency},
		{"agency_abbreviated", subject("UBND xã Tân Lập", "UBND huyện X"), signing.RoleAgency},
		{"agency_plain", subject("Uy ban nhan dan tinh Ha Nam", "x"), signing.RoleAgency},
		{"agency_by_tax_number", subject("Alpha Beta", "Gamma", attr(oidUID, "MST:0100109106")), signing.RoleAgency},
		{"agency_by_identifier", subject("Alpha Beta", "Gamma", attr(oidOrgID, "VATVN-0100109106")), signing.RoleAgency},
		{"agency_system", subject("Hệ thống Quản lý văn bản", "Sở Nội vụ"), signing.RoleAgency},
		{"agency_small", subject("Trạm Y tế xã Tân Lập", "Trung tâm Y tế huyện X"), signing.RoleAgency},
		{"agency_border_post", subject("Đồn Biên Phòng Cửa Khẩu", "Bộ đội Biên phòng"), signing.RoleAgency},
		{"unknown_acronym", subject("VNPT Hà Nội", "VNPT"), ""},
		{"unknown_acronym_with_vowel", subject("EVN Hà Nội", "Tập đoàn X"), ""},
		{"unknown_acronym_in_capitals", subject("VNPT HÀ NỘI", "VNPT"), ""},
		{"unknown_alone", subject("Nguyễn Văn An", ""), ""},
		{"unknown_words", subject("một cái tên", "Sở Nội vụ"), ""},
		{"unknown_plain_vu", subject("Vu Phap Che", "Bo Tu phap"), ""},
		{"unknown_one_word", subject("Alpha", "Sở Nội vụ"), ""},
		{"unknown_empty", subject("", "Sở Nội vụ"), ""},
	} {
		b := w.sign(testpki.CMS{Signers: []*testpki.Identity{w.named(c.of)}})
		if got := verify(detached(content, b), w.options()).Signatures[0].Role; got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSenderMatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sender := &signing.Sender{Code: "H05.12", Name: "Sở Nội vụ", Codes: []string{"000.00.12.H05"},
		Former:    []string{"H06.12", "Sở Nội vụ tỉnh Bắc Giang", "Sở Lao động - Thương binh và Xã hội"},
		Ancestors: []string{"H05", "Ủy ban nhân dân tỉnh Bắc Ninh"}}
	code := func(c string) pkix.AttributeTypeAndValue { return attr(asn1.ObjectIdentifier{2, 5, 4, 5}, c) }
	for _, c := range []struct {
		name string
		of   pkix.Name
		want signing.SenderMatch
	}{
		{"code", subject("Tên khác", "Tên khác", code("H05.12")), signing.SenderSame},
		{"code_small_letters", subject("Tên khác", "Tên khác", code(" h05.12")), signing.SenderSame},
		{"code_old_form", subject("Tên khác", "Tên khác", code("000.00.12.H05")), signing.SenderSame},
		{"code_of_predecessor", subject("Tên khác", "Tên khác", code("H06.12")), signing.SenderFormer},
		{"code_of_agency_above", subject("Tên khác", "Tên khác", code("H05")), signing.SenderSame},
		{"code_of_a_person_in_a_unit", subject("Lê Văn An", "Phòng A", code("H05.12.3")), signing.SenderSame},
		{"code_of_a_units_seal", subject("Phòng A", "Phòng A", code("H05.12.3")), signing.SenderDiffers},
		{"code_of_another", subject("Tên khác", "Tên khác", code("H05.13")), signing.SenderDiffers},
		{"name", subject("Sở Nội vụ", "Sở Nội vụ"), signing.SenderSame},
		{"name_in_capitals", subject("SỞ NỘI VỤ", "UBND TỈNH BẮC NINH"), signing.SenderSame},
		{"name_decomposed", subject(norm.NFD.String("Sở Nội vụ"), "UBND tỉnh Bắc Ninh"), signing.SenderSame},
		{"name_with_province", subject("Sở Nội vụ tỉnh Bắc Ninh", "Sở Nội vụ tỉnh Bắc Ninh"), signing.SenderSame},
		{"name_plain", subject("So Noi vu", "So Noi vu"), signing.SenderSame},
		{"name_of_another_province", subject("Sở Nội vụ", "UBND tỉnh Hà Nam"), signing.SenderDiffers},
		{"name_with_another_province", subject("Sở Nội vụ tỉnh Hà Nam", "Sở Nội vụ tỉnh Hà Nam"), signing.SenderDiffers},
		{"name_of_predecessor", subject("Sở Nội vụ tỉnh Bắc Giang", "UBND tỉnh Bắc Giang"), signing.SenderFormer},
		{"name_of_predecessor_punctuated", subject("SỞ LAO ĐỘNG-THƯƠNG BINH VÀ XÃ HỘI", "x"), signing.SenderFormer},
		{"name_of_agency_above", subject("Uỷ ban nhân dân tỉnh Bắc Ninh", "Uỷ ban nhân dân tỉnh Bắc Ninh"), signing.SenderSame},
		{"seal_of_a_sister", subject("Sở Tài chính", "UBND tỉnh Bắc Ninh"), signing.SenderDiffers},
		{"person_of_the_sender", subject("Lê Văn An", "Sở Nội vụ"), signing.SenderSame},
		{"person_of_agency_above", subject("Lê Văn An", "UBND tỉnh Bắc Ninh"), signing.SenderSame},
		{"person_of_predecessor", subject("Lê Văn An", "Sở Lao động - Thương binh và Xã hội"), signing.SenderFormer},
		{"person_of_a_stranger", subject("Lê Văn An", "Sở Y tế"), signing.SenderDiffers},
		{"person_of_nobody", subject("Lê Văn An", "", attr(oidTitle, "Giám đốc")), ""},
	} {
		o := w.options()
		o.Sender = sender
		f := detached(content, w.sign(testpki.CMS{Signers: []*testpki.Identity{w.named(c.of)}}))
		f.Part = signing.PartMain
		s := verify(f, o).Signatures[0]
		if s.Sender != c.want || hasReason(s.Reasons, signing.SenderOther) != (c.want == signing.SenderDiffers) ||
			hasReason(s.Reasons, signing.SenderPredecessor) != (c.want == signing.SenderFormer) || s.Verdict != signing.Valid {
			t.Errorf("%s: %q %s %v, want %q", c.name, s.Sender, s.Verdict, s.Reasons, c.want)
		}
		f.Part, f.Content = "", detached(content, nil).Content
		if s := verify(f, o).Signatures[0]; s.Sender != "" || hasReason(s.Reasons, signing.SenderOther) {
			t.Errorf("%s: compared without a part", c.name)
		}
	}
}

// partCases: what is missing for what a file is. Every verdict stays what it would be.
var partCases = []struct {
	name  string
	part  signing.Part
	make  func(w *world) []byte
	want  []signing.Reason
	roles []signing.Role
}{
	{"main_leader_then_seal", signing.PartMain, func(w *world) []byte { return w.seal(w.one()) }, nil, []signing.Role{signing.RolePerson, signing.RoleAgency}},
	{"agency_signature_missing", signing.PartMain, (*world).one, []signing.Reason{signing.AgencyMissing}, []signing.Role{signing.RolePerson}},
	{"person_signature_missing", signing.PartMain, func(w *world) []byte { return w.seal(w.pdf()) }, []signing.Reason{signing.PersonMissing}, []signing.Role{signing.RoleAgency}},
	{"agency_signed_before_person", signing.PartMain, func(w *world) []byte { return w.signPDF(w.seal(w.pdf()), testpki.PDFSignature{}) },
		[]signing.Reason{signing.SealedBeforeHand}, []signing.Role{signing.RoleAgency, signing.RolePerson}},
	{"main_unknown_then_seal", signing.PartMain, func(w *world) []byte {
		return w.seal(w.signPDF(w.pdf(), testpki.PDFSignature{Signer: w.named(subject("alpha", ""))}))
	}, nil, []signing.Role{signing.RolePerson, signing.RoleAgency}},
	{"main_leader_then_unknown", signing.PartMain, func(w *world) []byte {
		return w.signPDF(w.one(), testpki.PDFSignature{Signer: w.named(subject("alpha", ""))})
	}, nil, []signing.Role{signing.RolePerson, signing.RoleAgency}},
	{"main_unknown_alone", signing.PartMain, func(w *world) []byte {
		return w.signPDF(w.pdf(), testpki.PDFSignature{Signer: w.named(subject("alpha", ""))})
	}, nil, []signing.Role{""}},
	{"main_unsigned", signing.PartMain, (*world).pdf, []signing.Reason{signing.NoSignature}, nil},
	{"main_timestamp_is_no_signature", signing.PartMain, func(w *world) []byte { return w.stampPDF(w.seal(w.one()), w.PKI, now) }, nil,
		[]signing.Role{signing.RolePerson, signing.RoleAgency, ""}},
	{"appendix_sealed", signing.PartAppendix, func(w *world) []byte { return w.seal(w.pdf()) }, nil, []signing.Role{signing.RoleAppendix}},
	{"appendix_without_agency_signature", signing.PartAppendix, (*world).one, []signing.Reason{signing.AppendixUnsealed}, []signing.Role{signing.RolePerson}},
	{"appendix_without_agency_signature_unsigned", signing.PartAppendix, (*world).pdf, []signing.Reason{signing.AppendixUnsealed, signing.NoSignature}, nil},
	{"appendix_spreadsheet", signing.PartAppendix, func(*world) []byte { return []byte("a;b\n1;2\n") }, []signing.Reason{signing.NoSignature}, nil},
	{"copy_sealed", signing.PartCopy, func(w *world) []byte { return w.seal(w.pdf()) }, nil, []signing.Role{signing.RoleCopy}},
	{"copy_without_agency_signature", signing.PartCopy, (*world).one, []signing.Reason{signing.CopyUnsealed}, []signing.Role{signing.RolePerson}},
	{"part_not_said", "", (*world).one, nil, []signing.Role{signing.RolePerson}},
}

func TestParts(t *testing.T) {
	t.Parallel()
	about := []signing.Reason{signing.PersonMissing, signing.AgencyMissing, signing.AppendixUnsealed, signing.CopyUnsealed, signing.SealedBeforeHand, signing.NoSignature}
	for _, c := range partCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b := c.make(w)
			f := inside(b)
			f.Part = c.part
			got := verify(f, w.options()).Files[0]
			var found []signing.Reason
			for _, r := range got.Reasons {
				if slices.Contains(about, r) {
					found = append(found, r)
				}
			}
			for _, r := range c.want {
				if !hasReason(got.Reasons, r) {
					t.Errorf("%s is missing", r)
				}
			}
			var roles []signing.Role
			for _, s := range got.Signatures {
				roles = append(roles, s.Role)
			}
			if !slices.Equal(found, c.want) || !slices.Equal(roles, c.roles) {
				t.Errorf("reasons %v, roles %q; want %v, %q", found, roles, c.want, c.roles)
			}
			if bare := verify(inside(b), w.options()).Files[0]; bare.Verdict != got.Verdict {
				t.Errorf("verdict %s with the part, %s without", got.Verdict, bare.Verdict)
			}
		})
	}
}

// Public and private signatures of an agency are told, and nothing more (R72).
func TestFamilies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for family, warned := range map[signing.Family]bool{signing.FamilyOfficial: false, signing.FamilyPublic: true, signing.FamilyPrivate: true, "": false} {
		o := w.options()
		o.Trust.Anchors[0].Family = family
		s := verify(inside(w.one()), o).Signatures[0]
		if s.Verdict != signing.Valid || s.Family != family || hasReason(s.Reasons, signing.NotOfficial) != warned {
			t.Errorf("%s: %s %v", family, s.Verdict, s.Reasons)
		}
	}
}
