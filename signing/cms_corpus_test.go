package signing_test

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"slices"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
	"golang.org/x/crypto/ocsp"
)

var content = []byte("Nội dung văn bản thử nghiệm, không có giá trị pháp lý.\n")

// cmsCase is one message of the corpus. Its name says what is wrong with it; want is the reason it must be given ("" for
// a valid one, which OpenSSL must accept too).
type cmsCase struct {
	name     string
	make     func(w *world) []byte
	attached bool
	options  func(w *world, o *signing.Options)
	verdict  signing.Verdict
	want     signing.Reason
	openssl  bool
}

// bend makes a message with one piece changed.
func bend(piece string, change func([]byte) []byte) func(*world) []byte {
	return func(w *world) []byte {
		return w.sign(testpki.CMS{Bend: func(p string, der []byte) []byte {
			if p == piece {
				return change(der)
			}
			return der
		}})
	}
}

func (w *world) sign(c testpki.CMS) []byte {
	if len(c.Signers) == 0 {
		c.Signers = []*testpki.Identity{w.agency}
	}
	if c.Time.IsZero() {
		c.Time = now
	}
	der, err := c.Sign(content)
	w.must(err)
	return der
}

func (w *world) signKey(kind testpki.KeyKind, c testpki.CMS) []byte {
	c.Signers = []*testpki.Identity{w.issue(testpki.Request{Name: "Khóa " + string(kind), Key: kind})}
	return w.sign(c)
}

func drop([]byte) []byte                 { return nil }
func twice(b []byte) []byte              { return append(slices.Clone(b), b...) }
func flip(b []byte) []byte               { c := slices.Clone(b); c[len(c)-1] ^= 1; return c }
func with(b ...byte) func([]byte) []byte { return func([]byte) []byte { return b } }

var oidText = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}

var cmsCases = []cmsCase{
	// Good ones.
	{name: "valid_ecdsa_p256", make: func(w *world) []byte { return w.sign(testpki.CMS{}) }, openssl: true},
	{name: "valid_ecdsa_p384_sha384", make: func(w *world) []byte { return w.signKey(testpki.P384, testpki.CMS{Digest: crypto.SHA384}) }, openssl: true},
	{name: "valid_ecdsa_p521_sha512", make: func(w *world) []byte { return w.signKey(testpki.P521, testpki.CMS{Digest: crypto.SHA512}) }, openssl: true},
	{name: "valid_rsa_pkcs1", make: func(w *world) []byte { return w.signKey(testpki.RSA2048, testpki.CMS{}) }, openssl: true},
	{name: "valid_rsa_sha512", make: func(w *world) []byte { return w.signKey(testpki.RSA2048, testpki.CMS{Digest: crypto.SHA512}) }, openssl: true},
	{name: "valid_rsa_pss", make: func(w *world) []byte { return w.signKey(testpki.RSA2048, testpki.CMS{PSS: true}) }, openssl: true},
	{name: "valid_ed25519", make: func(w *world) []byte { return w.signKey(testpki.Ed25519, testpki.CMS{}) }},
	{name: "valid_key_identifier", make: func(w *world) []byte { return w.sign(testpki.CMS{KeyID: true}) }, openssl: true},
	{name: "valid_attached", attached: true, make: func(w *world) []byte { return w.sign(testpki.CMS{Attached: true}) }, openssl: true},
	{name: "valid_attached_ber", attached: true, make: func(w *world) []byte { return testpki.BER(w.sign(testpki.CMS{Attached: true})) }, openssl: true},
	{name: "valid_detached_ber", make: func(w *world) []byte { return testpki.BER(w.sign(testpki.CMS{})) }, openssl: true},
	{name: "valid_pem", make: func(w *world) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: w.sign(testpki.CMS{})})
	}},
	{name: "valid_two_signers", make: func(w *world) []byte {
		return w.sign(testpki.CMS{Signers: []*testpki.Identity{w.person, w.agency}})
	}, openssl: true},
	{name: "valid_without_signing_certificate", make: func(w *world) []byte { return w.sign(testpki.CMS{NoSigningCert: true}) }, openssl: true},
	{name: "valid_root_in_message", make: func(w *world) []byte {
		return w.sign(testpki.CMS{Certificates: []*x509.Certificate{w.Root.Certificate}})
	}, openssl: true},
	{name: "valid_timestamp", make: func(w *world) []byte { return w.sign(testpki.CMS{TSA: w.PKI}) }, openssl: true},
	{name: "valid_expired_but_timestamped", make: func(w *world) []byte {
		old := w.issue(testpki.Request{Name: "Hết hạn", From: now.AddDate(-1, 0, 0), Until: now.Add(time.Minute)})
		return w.sign(testpki.CMS{Signers: []*testpki.Identity{old}, TSA: w.PKI})
	}},

	// The message.
	{name: "cms_trailing_data", make: func(w *world) []byte { return append(w.sign(testpki.CMS{}), 0) }, want: signing.CMSTrailingData},
	{name: "cms_malformed_truncated", make: func(w *world) []byte { b := w.sign(testpki.CMS{}); return b[:len(b)-9] }, want: signing.CMSMalformed},
	{name: "cms_malformed_empty", make: func(w *world) []byte { return []byte{} }, want: signing.CMSMalformed},
	{name: "cms_malformed_pem", make: func(w *world) []byte { return []byte("-----BEGIN PKCS7-----\n!!\n") }, want: signing.CMSMalformed},
	{name: "cms_too_deep", make: func(w *world) []byte { return nested(200) }, want: signing.CMSTooDeep, verdict: signing.Undetermined},
	{name: "cms_too_large", make: bend("unsignedAttributes", func([]byte) []byte {
		return der(0xA1, testpki.Attribute(asn1.ObjectIdentifier{1, 2, 3, 4}, der(4, make([]byte, 1<<20))))
	}), want: signing.CMSTooLarge, verdict: signing.Undetermined},
	{name: "cms_version", make: bend("version", with(2, 1, 3)), want: signing.CMSVersion},
	{name: "cms_version_signer", make: bend("signerVersion", with(2, 1, 3)), want: signing.CMSVersion},
	{name: "no_signer", make: bend("signerInfos", with(0x31, 0)), want: signing.NoSigner},
	{name: "detached_has_other_content", make: bend("encapContentInfo", func(b []byte) []byte {
		return der(0x30, inner(b), der(0xA0, der(4, []byte("khác"))))
	}), want: signing.DetachedHasContent},
	{name: "valid_detached_with_the_same_content", make: func(w *world) []byte { return w.sign(testpki.CMS{Attached: true}) }},
	{name: "content_missing", attached: true, make: func(w *world) []byte { return w.sign(testpki.CMS{}) }, want: signing.ContentMissing, verdict: signing.Undetermined},

	// Signed attributes.
	{name: "no_signed_attributes", make: func(w *world) []byte { return w.sign(testpki.CMS{BareSignature: true}) }, want: signing.NoSignedAttributes},
	{name: "attributes_stripped", attached: true, make: stripped, want: signing.AttributesStripped},
	{name: "attributes_malformed", make: bend("messageDigest", with(0x30, 3, 2, 1, 0)), want: signing.AttributesMalformed},
	{name: "content_type_missing", make: bend("contentType", drop), want: signing.ContentTypeMissing},
	{name: "content_type_repeated", make: bend("contentType", twice), want: signing.ContentTypeRepeated},
	{name: "content_type_mismatch", make: bend("encapContentInfo", func([]byte) []byte {
		return der(0x30, must(asn1.Marshal(oidText)))
	}), want: signing.ContentTypeMismatch},
	{name: "message_digest_missing", make: bend("messageDigest", drop), want: signing.DigestMissing},
	{name: "message_digest_repeated", make: bend("messageDigest", twice), want: signing.DigestRepeated},
	{name: "message_digest_two_values", make: bend("messageDigest", func(b []byte) []byte {
		var a struct {
			ID     asn1.ObjectIdentifier
			Values []asn1.RawValue `asn1:"set"`
		}
		mustParse(b, &a)
		return testpki.Attribute(a.ID, a.Values[0].FullBytes, a.Values[0].FullBytes)
	}), want: signing.DigestRepeated},
	{name: "digest_mismatch", make: bend("messageDigest", flip), want: signing.DigestMismatch},
	{name: "signing_certificate_mismatch", make: bend("signingCertificate", func(b []byte) []byte {
		c := slices.Clone(b)
		c[30] ^= 1
		return c
	}), want: signing.SigningCertMismatch},
	{name: "signing_certificate_repeated", make: bend("signingCertificate", twice), want: signing.SigningCertMismatch},

	// Algorithms and the value.
	{name: "digest_algorithm_unlisted", make: bend("digestAlgorithms", with(0x31, 0)), want: signing.DigestUnlisted},
	{name: "digest_algorithm_unsupported", make: func(w *world) []byte {
		shake := der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 12})))
		return w.sign(testpki.CMS{Bend: func(p string, b []byte) []byte {
			switch p {
			case "digestAlgorithm":
				return shake
			case "digestAlgorithms":
				return der(0x31, shake)
			}
			return b
		}})
	}, want: signing.DigestUnsupported, verdict: signing.Undetermined},
	{name: "signature_algorithm_unsupported", make: bend("signatureAlgorithm", func([]byte) []byte {
		return der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 3, 101, 113}))) // Ed448
	}), want: signing.SignatureUnsupported, verdict: signing.Undetermined},
	{name: "algorithm_mismatch_digest", make: bend("signatureAlgorithm", func([]byte) []byte {
		return der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3})))
	}), want: signing.AlgorithmMismatch},
	{name: "algorithm_mismatch_key", make: bend("signatureAlgorithm", func([]byte) []byte {
		return der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1})), []byte{5, 0})
	}), want: signing.AlgorithmMismatch},
	{name: "algorithm_mismatch_parameters", make: bend("signatureAlgorithm", func([]byte) []byte {
		return der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2})), []byte{4, 0})
	}), want: signing.AlgorithmMismatch},
	{name: "signature_mismatch", make: bend("signature", flip), want: signing.SignatureMismatch},
	{name: "signature_mismatch_padded", make: bend("signature", func(b []byte) []byte { return append(slices.Clone(b), 0) }), want: signing.SignatureMismatch},
	{name: "weak_digest_sha1", make: func(w *world) []byte { return w.sign(testpki.CMS{Digest: crypto.SHA1}) }, want: signing.WeakDigest, verdict: signing.Undetermined},
	{name: "valid_sha1_allowed", make: func(w *world) []byte { return w.sign(testpki.CMS{Digest: crypto.SHA1}) },
		options: func(_ *world, o *signing.Options) { o.AllowSHA1 = true }},
	{name: "weak_digest_md5", make: func(w *world) []byte { return w.signKey(testpki.RSA2048, testpki.CMS{Digest: crypto.MD5}) },
		options: func(_ *world, o *signing.Options) { o.AllowSHA1 = true }, want: signing.WeakDigest, verdict: signing.Undetermined},
	{name: "weak_key_rsa1024", make: func(w *world) []byte { return w.signKey(testpki.RSA1024, testpki.CMS{}) }, want: signing.WeakKey, verdict: signing.Undetermined},

	// The certificate and its path.
	{name: "signer_certificate_missing", make: func(w *world) []byte { return w.sign(testpki.CMS{NoCertificates: true}) }, want: signing.SignerMissing, verdict: signing.Undetermined},
	{name: "wrong_key_same_name", make: func(w *world) []byte {
		other := w.issue(testpki.Request{Name: "Khác"})
		return w.sign(testpki.CMS{NoSigningCert: true, Signers: []*testpki.Identity{{Name: "x", Certificate: other.Certificate, Key: w.agency.Key, Chain: w.agency.Chain}}})
	}, want: signing.SignatureMismatch},
	{name: "no_anchor", make: func(w *world) []byte { return w.sign(testpki.CMS{}) },
		options: func(_ *world, o *signing.Options) { o.Trust = nil }, want: signing.NoAnchor, verdict: signing.Undetermined},
	{name: "untrusted", make: func(w *world) []byte { return w.sign(testpki.CMS{}) },
		options: func(w *world, o *signing.Options) {
			o.Trust.Anchors = []signing.Anchor{{Certificate: newWorld(w.t).agency.Certificate}}
		}, want: signing.Untrusted, verdict: signing.Undetermined},
	{name: "path_signature", make: func(w *world) []byte {
		return w.sign(testpki.CMS{Signers: []*testpki.Identity{impostor(w)}})
	}, want: signing.PathSignature},
	{name: "path_not_ca", make: func(w *world) []byte {
		id, err := w.IssueUnder(w.agency, testpki.Request{Name: "Do đơn vị tự cấp"})
		w.must(err)
		return w.sign(testpki.CMS{Signers: []*testpki.Identity{id}})
	}, want: signing.PathNotCA},
	{name: "path_key_usage", make: func(w *world) []byte {
		return w.sign(testpki.CMS{Signers: []*testpki.Identity{w.under(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign })}})
	}, want: signing.PathKeyUsage},
	{name: "path_length", make: func(w *world) []byte {
		return w.sign(testpki.CMS{Signers: []*testpki.Identity{w.underTwo()}})
	}, want: signing.PathLength},
	{name: "path_critical_extension", make: func(w *world) []byte {
		id := w.issue(testpki.Request{Name: "Mở rộng lạ", Edit: func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, extension("1.3.6.1.4.1.99999.7", true))
		}})
		return w.sign(testpki.CMS{Signers: []*testpki.Identity{id}})
	}, want: signing.PathCritical},
	{name: "certificate_expired", make: func(w *world) []byte {
		id := w.issue(testpki.Request{Name: "Hết hạn", From: now.AddDate(-2, 0, 0), Until: now.AddDate(-1, 0, 0)})
		return w.sign(testpki.CMS{Signers: []*testpki.Identity{id}})
	}, want: signing.CertificateExpired},
	{name: "no_time_proof_expired", make: func(w *world) []byte {
		id := w.issue(testpki.Request{Name: "Vừa hết hạn", From: now.AddDate(-1, 0, 0), Until: now.Add(time.Minute)})
		return w.sign(testpki.CMS{Signers: []*testpki.Identity{id}})
	}, want: signing.NoTimeProof, verdict: signing.Undetermined},
	{name: "certificate_not_yet_valid", make: func(w *world) []byte {
		id := w.issue(testpki.Request{Name: "Chưa hiệu lực", From: now.AddDate(0, 1, 0)})
		return w.sign(testpki.CMS{Signers: []*testpki.Identity{id}})
	}, want: signing.CertificateNotYet},
	{name: "certificate_key_usage", make: func(w *world) []byte {
		id := w.issue(testpki.Request{Name: "Mã hóa", Edit: func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }})
		return w.sign(testpki.CMS{Signers: []*testpki.Identity{id}})
	}, want: signing.CertificateKeyUsage},
	{name: "certificate_key_usage_server", make: func(w *world) []byte {
		id := w.issue(testpki.Request{Name: "Máy chủ", Edit: func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }})
		return w.sign(testpki.CMS{Signers: []*testpki.Identity{id}})
	}, want: signing.CertificateKeyUsage},
	{name: "certificate_damaged_root_copy", make: func(w *world) []byte {
		return w.sign(testpki.CMS{Bend: func(p string, b []byte) []byte {
			if p != "certificates" {
				return b
			}
			return der(0xA0, inner(b), flip(w.Root.Certificate.Raw))
		}})
	}, want: signing.CertificateDamaged},

	// Revocation.
	{name: "certificate_revoked", make: func(w *world) []byte { return w.sign(testpki.CMS{}) },
		options: func(w *world, o *signing.Options) { w.revoke(o, w.agency, now.Add(-time.Hour)) }, want: signing.CertificateRevoked},
	{name: "ca_revoked", make: func(w *world) []byte { return w.sign(testpki.CMS{}) },
		options: func(w *world, o *signing.Options) { w.revoke(o, w.Issuing, now.Add(-time.Hour)) }, want: signing.AuthorityRevoked},
	{name: "no_time_proof_revoked", make: func(w *world) []byte { return w.sign(testpki.CMS{}) },
		options: func(w *world, o *signing.Options) { w.revoke(o, w.agency, now.Add(time.Minute)) }, want: signing.NoTimeProof, verdict: signing.Undetermined},
	{name: "valid_revoked_after_timestamp", make: func(w *world) []byte { return w.sign(testpki.CMS{TSA: w.PKI}) },
		options: func(w *world, o *signing.Options) { w.revoke(o, w.agency, now.Add(time.Minute)) }},
	{name: "revocation_unknown", make: func(w *world) []byte { return w.sign(testpki.CMS{}) },
		options: func(w *world, o *signing.Options) { o.Trust.CRLs = nil }, want: signing.RevocationMissing, verdict: signing.Undetermined},
	{name: "valid_revocation_soft", make: func(w *world) []byte { return w.sign(testpki.CMS{}) },
		options: func(w *world, o *signing.Options) { o.Trust.CRLs, o.Revocation = nil, signing.Soft }},
	{name: "valid_revocation_off", make: func(w *world) []byte { return w.sign(testpki.CMS{}) },
		options: func(w *world, o *signing.Options) { o.Trust.CRLs, o.Revocation = nil, signing.Off }},
	{name: "revocation_stale", make: func(w *world) []byte { return w.sign(testpki.CMS{}) },
		options: func(w *world, o *signing.Options) {
			o.Trust.CRLs = [][]byte{w.CRLs[0], w.list(w.Issuing, w.Issuing, now.Add(-2*time.Hour), now.Add(-time.Hour))}
		}, want: signing.RevocationStale, verdict: signing.Undetermined},
	{name: "revocation_data_invalid", make: func(w *world) []byte { return w.sign(testpki.CMS{}) },
		options: func(w *world, o *signing.Options) {
			o.Trust.CRLs = [][]byte{w.CRLs[0], w.list(w.Issuing, &testpki.Identity{Certificate: w.Issuing.Certificate, Key: w.Root.Key}, now, now.AddDate(1, 0, 0))}
		}, want: signing.RevocationInvalid, verdict: signing.Undetermined},
	{name: "valid_by_ocsp", make: func(w *world) []byte { return w.sign(testpki.CMS{}) },
		options: func(w *world, o *signing.Options) { w.answer(o, w.Issuing, ocsp.Good, now) }},
	{name: "valid_by_ocsp_delegated", make: func(w *world) []byte { return w.sign(testpki.CMS{}) },
		options: func(w *world, o *signing.Options) {
			w.answer(o, w.responder(x509.ExtKeyUsageOCSPSigning), ocsp.Good, now)
		}},
	{name: "revocation_data_invalid_ocsp_not_authorised", make: func(w *world) []byte { return w.sign(testpki.CMS{}) },
		options: func(w *world, o *signing.Options) {
			w.answer(o, w.responder(x509.ExtKeyUsageClientAuth), ocsp.Good, now)
		},
		want: signing.RevocationInvalid, verdict: signing.Undetermined},
	{name: "ocsp_unknown", make: func(w *world) []byte { return w.sign(testpki.CMS{}) },
		options: func(w *world, o *signing.Options) { w.answer(o, w.Issuing, ocsp.Unknown, now) },
		want:    signing.OCSPUnknown, verdict: signing.Undetermined},
	{name: "revocation_stale_ocsp", make: func(w *world) []byte { return w.sign(testpki.CMS{}) },
		options: func(w *world, o *signing.Options) { w.answer(o, w.Issuing, ocsp.Good, now.Add(-48*time.Hour)) },
		want:    signing.RevocationStale, verdict: signing.Undetermined},
	{name: "certificate_revoked_ocsp", make: func(w *world) []byte { return w.sign(testpki.CMS{}) },
		options: func(w *world, o *signing.Options) { w.answer(o, w.Issuing, ocsp.Revoked, now) },
		want:    signing.CertificateRevoked},
}

func TestCMSCorpus(t *testing.T) {
	t.Parallel()
	runCMS(t, cmsCases)
}

func runCMS(t *testing.T, cases []cmsCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b := w.keep(".p7s", c.make(w))
			o := w.options()
			if c.options != nil {
				c.options(w, &o)
			}
			f := detached(content, b)
			if c.attached {
				f = inside(b)
			}
			report := verify(f, o)
			c.check(t, report)
			if c.openssl {
				opensslAccepts(t, w, b, c.attached)
			}
		})
	}
}

func (c cmsCase) check(t *testing.T, report signing.Report) {
	t.Helper()
	want := c.verdict
	if want == "" {
		want = signing.Invalid
		if c.want == "" {
			want = signing.Valid
		}
	}
	if report.Verdict != want || c.want != "" && !hasReason(report.Files[0].Reasons, c.want) {
		t.Fatalf("verdict %s, reasons %v; want %s with %q", report.Verdict, report.Files[0].Reasons, want, c.want)
	}
	for _, r := range report.Files[0].Reasons {
		if r.Text().VI == string(r) {
			t.Errorf("reason %q has no text", r)
		}
	}
}
