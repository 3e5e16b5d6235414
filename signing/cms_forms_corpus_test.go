package signing_test

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
	"golang.org/x/crypto/ocsp"
)

// indefinite gives a constructed element an indefinite length.
func indefinite(b []byte) []byte { return slices.Concat(b[:1], []byte{0x80}, inner(b), []byte{0, 0}) }

// longLength writes a length in four bytes, as BER may.
func longLength(b []byte) []byte {
	body := inner(b)
	return slices.Concat(b[:1], binary.BigEndian.AppendUint32([]byte{0x84}, uint32(len(body))), body)
}

// inPieces writes an OCTET STRING as two pieces, the second in pieces again.
func inPieces(tag byte, body []byte) []byte {
	half := len(body) / 2
	return slices.Concat([]byte{tag, 0x80}, der(4, body[:half]), []byte{0x24, 0x80}, der(4, body[half:]), der(4), []byte{0, 0, 0, 0})
}

// parts are the elements within one.
func parts(b []byte) [][]byte {
	var out [][]byte
	for rest := inner(b); len(rest) > 0; {
		var v asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &v); err != nil {
			panic(err)
		}
		out = append(out, v.FullBytes)
	}
	return out
}

func reversed(b []byte) []byte {
	list := parts(b)
	slices.Reverse(list)
	return der(b[0], list...)
}

// addSigned puts one more signed attribute in.
func addSigned(attribute []byte) func(*world) []byte {
	return bend("contentType", func(b []byte) []byte { return append(slices.Clone(b), attribute...) })
}

var (
	idSigningTime  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	idCounterSign  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 6}
	idSigningCert  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	idSigningCert2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	idArchival     = asn1.ObjectIdentifier{1, 2, 840, 113583, 1, 1, 8}
	idCertValues   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 23}
	idRevocations  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 24}
	idProtection   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 52}
	ecdsaSHA256    = der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2})))
	sha512Name     = der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3})))
)

// protection is cmsAlgorithmProtect.
func protection(digest, signature []byte) []byte {
	return testpki.Attribute(idProtection, der(0x30, digest, der(0xA1, inner(signature))))
}

// bound replaces signing-certificate-v2 by an attribute over the agency's certificate.
func bound(id asn1.ObjectIdentifier, value func(w *world) []byte) func(*world) []byte {
	return func(w *world) []byte {
		return w.sign(testpki.CMS{Bend: func(p string, b []byte) []byte {
			if p == "signingCertificate" {
				return testpki.Attribute(id, value(w))
			}
			return b
		}})
	}
}

func sum1(b []byte) []byte   { s := sha1.Sum(b); return s[:] }
func sum512(b []byte) []byte { s := sha512.Sum512(b); return s[:] }

func sum256(b []byte) []byte {
	h := crypto.SHA256.New()
	h.Write(b)
	return h.Sum(nil)
}

// kind is a ContentInfo of another type.
func kind(id asn1.ObjectIdentifier) func(*world) []byte {
	return func(*world) []byte {
		return der(0x30, must(asn1.Marshal(id)), der(0xA0, der(0x30, []byte{2, 1, 0}, make([]byte, 0), der(0x31), der(0x30, must(oidDER(1))))))
	}
}

func pkcs7(n int) asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, n} }

var formCases = []cmsCase{
	// Encodings.
	{name: "valid_ber_signed_attributes_indefinite", make: bend("signedAttributes", indefinite)},
	{name: "valid_ber_signed_attributes_long_length", make: bend("signedAttributes", longLength)},
	{name: "valid_ber_message_digest_in_pieces", make: bendSigned("messageDigest", func(b []byte) []byte {
		list := parts(b)
		return der(0x30, list[0], der(0x31, inPieces(0x24, inner(inner(list[1])))))
	})},
	{name: "valid_ber_signature_in_pieces", make: bend("signerInfo", func(b []byte) []byte {
		list := parts(b)
		last := len(list) - 1
		list[last] = inPieces(0x24, inner(list[last]))
		return der(0x30, list...)
	}), openssl: true},
	{name: "valid_ber_key_identifier_in_pieces", make: func(w *world) []byte {
		return w.sign(testpki.CMS{KeyID: true, Bend: func(p string, b []byte) []byte {
			if p == "sid" {
				return inPieces(0xA0, inner(b))
			}
			return b
		}})
	}},
	{name: "valid_ber_all_indefinite", make: func(w *world) []byte {
		return w.sign(testpki.CMS{Bend: func(p string, b []byte) []byte {
			switch p {
			case "digestAlgorithms", "digestAlgorithm", "encapContentInfo", "certificates", "signerInfos", "signedData", "contentInfo":
				return indefinite(b)
			}
			return b
		}})
	}, openssl: true},
	{name: "valid_attached_ber_content_in_nested_pieces", attached: true, make: func(w *world) []byte {
		return w.sign(testpki.CMS{Attached: true, Bend: func(p string, b []byte) []byte {
			if p == "encapContentInfo" {
				return indefinite(der(0x30, parts(b)[0], indefinite(der(0xA0, inPieces(0x24, content)))))
			}
			return b
		}})
	}, openssl: true},
	{name: "valid_attached_empty_piece", attached: true, make: func(w *world) []byte {
		return w.sign(testpki.CMS{Attached: true, Bend: func(p string, b []byte) []byte {
			if p == "encapContentInfo" {
				return der(0x30, parts(b)[0], der(0xA0, der(0x24, der(4), der(4, content), der(4))))
			}
			return b
		}})
	}, openssl: true},
	{name: "cms_malformed_piece_of_another_type", attached: true, make: func(w *world) []byte {
		return w.sign(testpki.CMS{Attached: true, Bend: func(p string, b []byte) []byte {
			if p == "encapContentInfo" {
				return der(0x30, parts(b)[0], der(0xA0, der(0x24, der(0x0C, content))))
			}
			return b
		}})
	}, want: signing.CMSMalformed},
	{name: "cms_malformed_unended", make: func(w *world) []byte {
		b := indefinite(w.sign(testpki.CMS{}))
		return b[:len(b)-2]
	}, want: signing.CMSMalformed},
	{name: "cms_trailing_data_inside", make: bend("signedData", func(b []byte) []byte { return append(slices.Clone(b), 5, 0) }), want: signing.CMSMalformed},
	{name: "cms_trailing_data_after_pem", make: func(w *world) []byte {
		return append(pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: w.sign(testpki.CMS{})}), "thừa"...)
	}, want: signing.CMSTrailingData},
	{name: "valid_pem_windows_lines", make: func(w *world) []byte {
		return bytes.ReplaceAll(pem.EncodeToMemory(&pem.Block{Type: "PKCS #7 SIGNED DATA", Bytes: w.sign(testpki.CMS{})}), []byte("\n"), []byte("\r\n"))
	}},
	{name: "valid_pem_attached", attached: true, make: func(w *world) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: w.sign(testpki.CMS{Attached: true})})
	}},
	{name: "valid_base64", make: func(w *world) []byte { return []byte(base64.StdEncoding.EncodeToString(w.sign(testpki.CMS{}))) }},
	{name: "valid_base64_attached_in_lines", attached: true, make: func(w *world) []byte {
		text := base64.StdEncoding.EncodeToString(w.sign(testpki.CMS{Attached: true}))
		var out strings.Builder
		for len(text) > 64 {
			out.WriteString(text[:64] + "\r\n")
			text = text[64:]
		}
		return []byte(out.String() + text + "\r\n")
	}},
	{name: "valid_smime_opaque", attached: true, make: func(w *world) []byte {
		header := "MIME-Version: 1.0\nContent-Disposition: attachment; filename=\"smime.p7m\"\nContent-Type: application/pkcs7-mime; smime-type=signed-data; name=\"smime.p7m\"\nContent-Transfer-Encoding: base64\n\n"
		return []byte(header + base64.StdEncoding.EncodeToString(w.sign(testpki.CMS{Attached: true})) + "\n\n")
	}},

	// Kinds of message.
	{name: "cms_kind_unsupported_enveloped", attached: true, make: kind(pkcs7(3)), want: signing.CMSKindUnsupported, verdict: signing.Undetermined},
	{name: "cms_kind_unsupported_signed_and_enveloped", attached: true, make: kind(pkcs7(4)), want: signing.CMSKindUnsupported, verdict: signing.Undetermined},
	{name: "cms_kind_unsupported_encrypted", attached: true, make: kind(pkcs7(6)), want: signing.CMSKindUnsupported, verdict: signing.Undetermined},
	{name: "cms_kind_unsupported_compressed", attached: true, make: kind(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 9}), want: signing.CMSKindUnsupported, verdict: signing.Undetermined},
	{name: "cms_kind_unsupported_detached", make: kind(pkcs7(3)), want: signing.CMSKindUnsupported, verdict: signing.Undetermined},
	{name: "cms_kind_unsupported_pkcs7_content", attached: true, make: func(w *world) []byte {
		return w.sign(testpki.CMS{Attached: true, ContentType: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 4}, Bend: func(p string, b []byte) []byte {
			if p == "encapContentInfo" {
				return der(0x30, parts(b)[0], der(0xA0, der(0x30, content)))
			}
			return b
		}})
	}, want: signing.CMSKindUnsupported, verdict: signing.Undetermined},
	{name: "no_signer_certificate_bag", attached: true, make: func(w *world) []byte {
		return w.sign(testpki.CMS{Attached: true, Bend: func(p string, b []byte) []byte {
			switch p {
			case "signerInfos", "digestAlgorithms":
				return der(0x31)
			}
			return b
		}})
	}, want: signing.NoSigner},

	// Versions (RFC 5652, 5.1).
	{name: "valid_content_type_other", attached: true, make: func(w *world) []byte { return w.sign(testpki.CMS{Attached: true, ContentType: oidText}) }, openssl: true},
	{name: "cms_version_content_type_other", attached: true, make: func(w *world) []byte {
		return w.sign(testpki.CMS{Attached: true, ContentType: oidText, Bend: func(p string, b []byte) []byte {
			if p == "version" {
				return []byte{2, 1, 1}
			}
			return b
		}})
	}, want: signing.CMSVersion},
	{name: "valid_attribute_certificate", make: func(w *world) []byte {
		return w.sign(testpki.CMS{Bend: func(p string, b []byte) []byte {
			switch p {
			case "version":
				return []byte{2, 1, 4}
			case "certificates":
				return der(0xA0, inner(b), der(0xA2, []byte{2, 1, 1}))
			}
			return b
		}})
	}},
	{name: "certificate_unreadable", make: func(w *world) []byte {
		return w.sign(testpki.CMS{Bend: func(p string, b []byte) []byte {
			if p == "certificates" {
				return der(0xA0, inner(b), der(0x30, []byte{2, 1, 1}))
			}
			return b
		}})
	}, want: signing.CertificateUnreadable, verdict: signing.Undetermined},

	// Signed attributes.
	{name: "attributes_malformed_empty", make: bend("signedAttributes", with(0xA0, 0)), want: signing.AttributesMalformed},
	{name: "valid_attributes_sent_unsorted", make: bend("signedAttributes", reversed)}, // as Bouncy Castle checks them
	{name: "valid_attributes_signed_unsorted", make: signedUnsorted},                   // as OpenSSL does
	{name: "signing_time_repeated", make: addSigned(testpki.Attribute(idSigningTime, must(asn1.Marshal(now)))), want: signing.SigningTimeRepeated},
	{name: "signing_time_two_values", make: bend("signingTime", func([]byte) []byte {
		at := must(asn1.Marshal(now))
		return testpki.Attribute(idSigningTime, at, at)
	}), want: signing.SigningTimeRepeated},
	{name: "valid_signing_time_generalized", make: bend("signingTime", func([]byte) []byte {
		return testpki.Attribute(idSigningTime, der(0x18, []byte(now.Format("20060102150405Z"))))
	}), openssl: true},
	{name: "valid_unknown_attribute", make: addSigned(testpki.Attribute(asn1.ObjectIdentifier{1, 2, 3, 4}, der(4, []byte("lạ")))), openssl: true},
	{name: "valid_attribute_named_by_uuid", make: addSigned(der(0x30, append([]byte{6, 20, 0x69}, append(bytes.Repeat([]byte{0x83}, 18), 1)...), der(0x31, []byte{5, 0}))), openssl: true},
	{name: "valid_countersignature_ignored", make: bend("unsignedAttributes", func([]byte) []byte {
		return der(0xA1, testpki.Attribute(idCounterSign, der(0x30, []byte{2, 1, 1})))
	})},
	{name: "message_digest_empty", make: bend("messageDigest", func([]byte) []byte {
		return testpki.Attribute(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4})
	}), want: signing.DigestRepeated},
	{name: "digest_mismatch_truncated", make: bend("messageDigest", func([]byte) []byte {
		return testpki.Attribute(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}, der(4, sum256(content)[:20]))
	}), want: signing.DigestMismatch},
	{name: "digest_mismatch_other_algorithm", make: bend("messageDigest", func([]byte) []byte {
		return testpki.Attribute(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}, der(4, sum512(content)))
	}), want: signing.DigestMismatch},

	// The certificate that the signer means.
	{name: "valid_bound_v1", make: bound(idSigningCert, func(w *world) []byte {
		return der(0x30, der(0x30, der(0x30, der(4, sum1(w.agency.Certificate.Raw)))))
	}), openssl: true},
	{name: "valid_bound_v2_sha512", make: bound(idSigningCert2, func(w *world) []byte {
		return der(0x30, der(0x30, der(0x30, sha512Name, der(4, sum512(w.agency.Certificate.Raw)))))
	}), openssl: true},
	{name: "valid_bound_v2_whole_path", make: bound(idSigningCert2, func(w *world) []byte {
		return der(0x30, der(0x30, der(0x30, der(4, sum256(w.agency.Certificate.Raw))), der(0x30, der(4, sum256(w.Issuing.Certificate.Raw)))))
	}), openssl: true},
	{name: "signing_certificate_mismatch_second", make: bound(idSigningCert2, func(w *world) []byte {
		return der(0x30, der(0x30, der(0x30, der(4, sum256(w.Issuing.Certificate.Raw))), der(0x30, der(4, sum256(w.agency.Certificate.Raw)))))
	}), want: signing.SigningCertMismatch},
	{name: "signing_certificate_mismatch_serial", make: bound(idSigningCert2, func(w *world) []byte {
		return der(0x30, der(0x30, der(0x30, der(4, sum256(w.agency.Certificate.Raw)),
			der(0x30, der(0x30, der(0xA4, w.agency.Certificate.RawIssuer)), []byte{2, 1, 9}))))
	}), want: signing.SigningCertMismatch},
	{name: "signing_certificate_mismatch_issuer", make: bound(idSigningCert2, func(w *world) []byte {
		return der(0x30, der(0x30, der(0x30, der(4, sum256(w.agency.Certificate.Raw)),
			der(0x30, der(0x30, der(0xA4, w.Root.Certificate.RawSubject)), must(asn1.Marshal(w.agency.Certificate.SerialNumber))))))
	}), want: signing.SigningCertMismatch},
	{name: "signing_certificate_mismatch_empty", make: bound(idSigningCert2, func(*world) []byte { return der(0x30, der(0x30)) }), want: signing.SigningCertMismatch},
	{name: "digest_algorithm_unsupported_binding", make: bound(idSigningCert2, func(w *world) []byte {
		return der(0x30, der(0x30, der(0x30, der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 3, 36, 3, 2, 1}))), der(4, make([]byte, 20)))))
	}), want: signing.DigestUnsupported, verdict: signing.Undetermined},
	{name: "valid_namesake_by_serial", make: func(w *world) []byte { return w.signAmong(namesake(w, true), testpki.CMS{}) }},
	{name: "valid_namesake_by_serial_unbound", make: func(w *world) []byte {
		return w.signAmong(namesake(w, true), testpki.CMS{NoSigningCert: true})
	}},
	{name: "valid_namesake_by_key_identifier", make: func(w *world) []byte { return w.signAmong(namesake(w, false), testpki.CMS{KeyID: true}) }},
	{name: "valid_issuer_in_another_string_type", make: bend("sid", func(b []byte) []byte {
		return bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\x13\x02VN"), []byte("\x0C\x02VN")), []byte("\x13\x0FTEST Issuing CA"), []byte("\x0C\x0FTEST Issuing CA"))
	})},
	{name: "signer_certificate_missing_other_case", make: bend("sid", func(b []byte) []byte {
		return bytes.ReplaceAll(b, []byte("TEST Issuing CA"), []byte("TEST issuing CA"))
	}), want: signing.SignerMissing, verdict: signing.Undetermined},
	{name: "signer_certificate_missing_key_identifier", make: func(w *world) []byte {
		return w.sign(testpki.CMS{KeyID: true, Bend: func(p string, b []byte) []byte {
			if p == "sid" {
				return der(0x80, []byte("khóa khác"))
			}
			return b
		}})
	}, want: signing.SignerMissing, verdict: signing.Undetermined},
	{name: "valid_signer_certificate_installed", make: func(w *world) []byte { return w.sign(testpki.CMS{NoCertificates: true}) },
		options: func(w *world, o *signing.Options) {
			o.Trust.Intermediates = append(o.Trust.Intermediates, w.agency.Certificate)
		}},

	// Algorithm names.
	{name: "valid_digest_null_in_one_place", make: bend("digestAlgorithms", func([]byte) []byte { return der(0x31, oidSHA256DER) }), openssl: true},
	{name: "valid_digest_algorithms_more", make: bend("digestAlgorithms", func(b []byte) []byte { return der(0x31, inner(b), oidSHA384DER) }), openssl: true},
	{name: "digest_algorithm_unlisted_other", make: bend("digestAlgorithms", func([]byte) []byte { return der(0x31, oidSHA384DER) }), want: signing.DigestUnlisted},
	{name: "algorithm_mismatch_digest_parameters", make: bend("digestAlgorithm", func(b []byte) []byte { return der(0x30, inner(b), []byte{2, 1, 5}) }), want: signing.AlgorithmMismatch},

	{name: "valid_algorithms_protected", make: addSigned(protection(oidSHA256DER, ecdsaSHA256)), openssl: true},
	{name: "algorithm_mismatch_protected_digest", make: addSigned(protection(oidSHA384DER, ecdsaSHA256)), want: signing.AlgorithmMismatch},
	{name: "algorithm_mismatch_protected_signature", make: addSigned(protection(oidSHA256DER, der(0x30, must(asn1.Marshal(oidPSS))))), want: signing.AlgorithmMismatch},
	{name: "attributes_malformed_protected_mac", make: addSigned(testpki.Attribute(idProtection, der(0x30, oidSHA256DER, der(0xA2, inner(oidSHA256DER))))), want: signing.AttributesMalformed},
	{name: "attributes_malformed_protected_twice", make: addSigned(twice(protection(oidSHA256DER, ecdsaSHA256))), want: signing.AttributesMalformed},

	// What proves the certificates comes in the message.
	{name: "valid_crls_in_message", make: func(w *world) []byte { return w.withLists(der(0xA1, w.CRLs...), 1) }, options: noLists},
	{name: "valid_ocsp_in_message", make: func(w *world) []byte {
		other := der(0xA1, must(asn1.Marshal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 16, 2})), w.response())
		return w.withLists(der(0xA1, w.CRLs[0], other), 5)
	}, options: noLists},
	{name: "cms_version_ocsp_in_message", make: func(w *world) []byte {
		other := der(0xA1, must(asn1.Marshal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 16, 2})), w.response())
		return w.withLists(der(0xA1, w.CRLs[0], other), 1)
	}, options: noLists, want: signing.CMSVersion},
	{name: "valid_revocation_archival", make: func(w *world) []byte {
		return addSigned(testpki.Attribute(idArchival, der(0x30, der(0xA0, der(0x30, w.CRLs[0])), der(0xA1, der(0x30, w.response())))))(w)
	}, options: noLists},
	{name: "valid_revocation_values", make: func(w *world) []byte {
		basic := parts(inner(parts(w.response())[1]))[1]
		return bend("unsignedAttributes", func([]byte) []byte {
			return der(0xA1, testpki.Attribute(idRevocations, der(0x30, der(0xA0, der(0x30, w.CRLs[0])), der(0xA1, der(0x30, inner(basic))))))
		})(w)
	}, options: noLists},
	{name: "valid_certificate_values", make: func(w *world) []byte {
		id := *w.agency
		id.Chain = nil
		return w.sign(testpki.CMS{Signers: []*testpki.Identity{&id}, Bend: func(p string, b []byte) []byte {
			if p == "unsignedAttributes" {
				return der(0xA1, testpki.Attribute(idCertValues, der(0x30, w.Issuing.Certificate.Raw, w.Root.Certificate.Raw)))
			}
			return b
		}})
	}, options: func(_ *world, o *signing.Options) { o.Trust.Intermediates = nil }},
	{name: "revocation_unknown_archival_garbage", make: addSigned(testpki.Attribute(idArchival, der(0x30, der(0xA0, der(4)), der(0xA1, der(0x30, der(4)))))),
		options: noLists, want: signing.RevocationMissing, verdict: signing.Undetermined},
	{name: "certificate_revoked_by_list_in_message", make: func(w *world) []byte {
		w.must(w.Publish([]testpki.Revoked{{Identity: w.agency, At: now.AddDate(0, 0, -1), Reason: 1}}))
		return w.withLists(der(0xA1, w.CRLs...), 1)
	}, options: noLists, want: signing.CertificateRevoked},
}

// bendSigned changes how an attribute is written, but not what is signed: the DER of what it was.
func bendSigned(piece string, change func([]byte) []byte) func(*world) []byte {
	return func(w *world) []byte {
		var from, to []byte
		return w.sign(testpki.CMS{Bend: func(p string, b []byte) []byte {
			switch p {
			case piece:
				from, to = b, change(b)
			case "signedAttributes":
				return der(0xA0, bytes.Replace(inner(b), from, to, 1))
			}
			return b
		}})
	}
}

// signedUnsorted sends the attributes out of order and signs them so.
func signedUnsorted(w *world) []byte {
	var sent []byte
	keep := func(p string, b []byte) []byte {
		if p == "signedAttributes" {
			sent = reversed(b)
			return sent
		}
		return b
	}
	w.sign(testpki.CMS{Bend: keep})
	id := *w.agency
	id.Key = oddKey{w.agency.Key, func([]byte) []byte {
		return must(w.agency.Key.Sign(nil, sum256(append([]byte{0x31}, sent[1:]...)), crypto.SHA256))
	}}
	return w.sign(testpki.CMS{Signers: []*testpki.Identity{&id}, Bend: func(p string, b []byte) []byte {
		if p == "signatureAlgorithm" {
			return der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2})))
		}
		return keep(p, b)
	}})
}

// namesake has the agency's serial number, or else its key identifier, and another key.
func namesake(w *world, serial bool) *x509.Certificate {
	return w.issue(testpki.Request{Name: "Trùng tên", Edit: func(c *x509.Certificate) {
		if serial {
			c.SerialNumber = w.agency.Certificate.SerialNumber
		} else {
			c.SubjectKeyId = w.agency.Certificate.SubjectKeyId
		}
	}}).Certificate
}

// signAmong puts another certificate before the signer's.
func (w *world) signAmong(other *x509.Certificate, c testpki.CMS) []byte {
	c.Bend = func(p string, b []byte) []byte {
		if p == "certificates" {
			return der(0xA0, other.Raw, inner(b))
		}
		return b
	}
	return w.sign(c)
}

// withLists is a message with revocation data beside the signers.
func (w *world) withLists(lists []byte, version byte) []byte {
	return w.sign(testpki.CMS{Bend: func(p string, b []byte) []byte {
		switch p {
		case "version":
			return []byte{2, 1, version}
		case "certificates":
			return append(slices.Clone(b), lists...)
		}
		return b
	}})
}

func noLists(_ *world, o *signing.Options) { o.Trust.CRLs, o.Trust.OCSP = nil, nil }

// response is the issuing CA's answer that the agency's certificate is good.
func (w *world) response() []byte {
	o := w.options()
	w.answer(&o, w.Issuing, ocsp.Good, now)
	return o.Trust.OCSP[0]
}

func TestForms(t *testing.T) {
	t.Parallel()
	runCMS(t, formCases)
}

// Several signers are judged apart.
func TestBrokenSignerBesideAGoodOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, spoil := range map[string]func([]byte) []byte{
		"value": func(b []byte) []byte {
			list := parts(b)
			return der(0x30, append(list[:len(list)-1], flip(list[len(list)-1]))...)
		},
		"malformed": func([]byte) []byte { return der(0x30, []byte{2, 1, 1}) },
	} {
		first := true
		b := w.sign(testpki.CMS{Signers: []*testpki.Identity{w.person, w.agency}, Bend: func(p string, b []byte) []byte {
			if p == "signerInfo" && first {
				first = false
				return spoil(b)
			}
			return b
		}})
		r := verify(detached(content, b), w.options())
		if r.Verdict != signing.Invalid || len(r.Signatures) != 2 {
			t.Fatalf("%s: %s, %d signatures", name, r.Verdict, len(r.Signatures))
		}
		good := 0
		for _, s := range r.Signatures {
			if s.Verdict == signing.Valid {
				good++
			}
		}
		if good != 1 {
			t.Errorf("%s: %d signers are good", name, good)
		}
	}
}

// Signatures of kinds that are not verified are told, never "not signed".
func TestUnsupportedFormats(t *testing.T) {
	t.Parallel()
	xml := "<?xml version=\"1.0\"?><a><x:Signature xmlns:x='http://www.w3.org/2000/09/xmldsig#'/></a>"
	ole := append([]byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), make([]byte, 1<<20)...)
	for name, b := range map[string][]byte{
		"xml":            []byte(xml),
		"xml_bom":        []byte("\xEF\xBB\xBF" + xml),
		"xml_utf16le":    append([]byte{0xFF, 0xFE}, utf16Bytes(binary.LittleEndian, xml)...),
		"xml_utf16be":    append([]byte{0xFE, 0xFF}, utf16Bytes(binary.BigEndian, xml)...),
		"ooxml":          []byte("PK\x03\x04....._xmlsignatures/sig1.xml"),
		"odf":            []byte("PK\x03\x04.....META-INF/documentsignatures.xml"),
		"asics_xades":    []byte("PK\x03\x04.....META-INF/signatures.xml"),
		"asics_cades":    []byte("PK\x03\x04.....META-INF/signature.p7s"),
		"asice_far_away": slices.Concat([]byte("PK\x03\x04"), make([]byte, 70<<20), []byte("META-INF/signatures0.xml")),
		"doc_xades":      append(slices.Clone(ole), utf16Bytes(binary.LittleEndian, "_xmlsignatures")...),
		"doc_cryptoapi":  append(slices.Clone(ole), utf16Bytes(binary.LittleEndian, "_signatures")...),
		"smime":          []byte("MIME-Version: 1.0\r\nContent-Type: multipart/signed; protocol=\"application/x-pkcs7-signature\"; micalg=\"sha-256\"\r\n"),
		"smime_mail":     []byte("From: van.thu@so.test\r\nSubject: thu\r\nMIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; smime-type=signed-data\r\n"),
		"pgp":            []byte("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nx\n-----BEGIN PGP SIGNATURE-----\n"),
	} {
		if r := verify(inside(b), signing.Options{At: now}); r.Verdict != signing.Undetermined || r.Files[0].Reason != signing.UnsupportedFormat {
			t.Errorf("%s: %s %v", name, r.Verdict, r.Files[0].Reasons)
		}
	}
	for name, b := range map[string][]byte{
		"plain_xml": []byte("<a/>"), "plain_zip": []byte("PK\x03\x04word/document.xml"), "plain_doc": ole, "plain_text": []byte("MIME là gì"), "empty": {},
	} {
		if r := verify(inside(b), signing.Options{At: now}); r.Verdict != signing.Unsigned {
			t.Errorf("%s: %s %v", name, r.Verdict, r.Files[0].Reasons)
		}
	}
	if r := verify(detached(content, []byte(xml)), signing.Options{At: now}); r.Verdict != signing.Undetermined || !hasReason(r.Files[0].Reasons, signing.UnsupportedFormat) {
		t.Errorf("XAdES beside a file: %s %v", r.Verdict, r.Files[0].Reasons)
	}
}

func utf16Bytes(order binary.AppendByteOrder, s string) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, unit)
	}
	return out
}
