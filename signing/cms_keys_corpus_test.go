package signing_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/hex"
	"io"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// oddKey signs in its own way.
type oddKey struct {
	crypto.Signer
	make func(digest []byte) []byte
}

func (k oddKey) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	return k.make(digest), nil
}

// rsaCase is a message whose RSA value is the power of an encoded message of the given form.
func rsaCase(name string, em func(size int, digest []byte) []byte) cmsCase {
	return rsaValue(name, func(k *rsa.PrivateKey, digest []byte) []byte { return rsaPower(k, em(k.Size(), digest)) })
}

func rsaPower(k *rsa.PrivateKey, em []byte) []byte {
	return new(big.Int).Exp(new(big.Int).SetBytes(em), k.D, k.N).FillBytes(make([]byte, k.Size()))
}

func rsaValue(name string, value func(k *rsa.PrivateKey, digest []byte) []byte) cmsCase {
	c := cmsCase{name: name, want: signing.SignatureMismatch, make: func(w *world) []byte {
		id := w.issue(testpki.Request{Name: "RSA", Key: testpki.RSA2048})
		k := id.Key.(*rsa.PrivateKey)
		id.Key = oddKey{k, func(digest []byte) []byte { return value(k, digest) }}
		return w.sign(testpki.CMS{Signers: []*testpki.Identity{id}})
	}}
	if len(name) > 6 && name[:6] == "valid_" {
		c.want = ""
	}
	return c
}

// padded is 00 01 FF… 00 info digest.
func padded(size int, info string, digest []byte) []byte {
	t := append(unhex(info), digest...)
	return slices.Concat([]byte{0, 1}, bytes.Repeat([]byte{0xFF}, size-3-len(t)), []byte{0}, t)
}

func unhex(s string) []byte { return must(hex.DecodeString(s)) }

func goodRSA(k *rsa.PrivateKey, digest []byte) []byte {
	return rsaPower(k, padded(k.Size(), infoSHA256, digest))
}

const infoSHA256 = "3031300d060960864801650304020105000420"

// ecCase is a message whose ECDSA value is written so.
func ecCase(name string, value func(r, s, n *big.Int) []byte) cmsCase {
	c := cmsCase{name: name, want: signing.SignatureMismatch, make: func(w *world) []byte {
		return w.sign(testpki.CMS{Bend: func(p string, b []byte) []byte {
			if p != "signature" {
				return b
			}
			var v struct{ R, S *big.Int }
			mustParse(b, &v)
			return value(v.R, v.S, elliptic.P256().Params().N)
		}})
	}}
	if len(name) > 6 && name[:6] == "valid_" {
		c.want = ""
	}
	return c
}

func rs(r, s *big.Int) []byte { return der(0x30, must(asn1.Marshal(r)), must(asn1.Marshal(s))) }

func raw(n *big.Int) []byte { return n.FillBytes(make([]byte, 32)) }

var signatureCases = []cmsCase{
	// RSASSA-PKCS1-v1_5 (RFC 8017, 8.2.2): the whole encoding is compared, so every dialect of it is wrong.
	rsaValue("valid_rsa_control", goodRSA),
	rsaCase("signature_mismatch_rsa_null_missing", func(n int, d []byte) []byte {
		return padded(n, "302f300b0609608648016503040201"+"0420", d)
	}),
	rsaCase("signature_mismatch_rsa_long_length", func(n int, d []byte) []byte {
		return padded(n, "308131300d060960864801650304020105000420", d)
	}),
	rsaCase("signature_mismatch_rsa_junk_after_digest", func(n int, d []byte) []byte {
		em := slices.Concat([]byte{0, 1}, bytes.Repeat([]byte{0xFF}, 8), []byte{0}, unhex(infoSHA256), d)
		return append(em, make([]byte, n-len(em))...)
	}),
	rsaCase("signature_mismatch_rsa_junk_in_digest_info", func(n int, d []byte) []byte {
		return append(padded(n-2, "3033300d060960864801650304020105000420", d), 5, 0)
	}),
	rsaCase("signature_mismatch_rsa_junk_in_parameters", func(n int, d []byte) []byte {
		return padded(n, "3033300f0609608648016503040201"+"04025a5a"+"0420", d)
	}),
	rsaCase("signature_mismatch_rsa_padding_short", func(n int, d []byte) []byte {
		t := append(unhex(infoSHA256), d...)
		return slices.Concat(make([]byte, n-len(t)-4), []byte{0, 1, 0xFF, 0}, t)
	}),
	rsaCase("signature_mismatch_rsa_padding_type_2", func(n int, d []byte) []byte {
		em := padded(n, infoSHA256, d)
		em[1] = 2
		return em
	}),
	rsaCase("signature_mismatch_rsa_padding_type_0", func(n int, d []byte) []byte {
		em := padded(n, infoSHA256, d)
		em[1] = 0
		return em
	}),
	rsaCase("signature_mismatch_rsa_padding_not_ff", func(n int, d []byte) []byte {
		em := padded(n, infoSHA256, d)
		em[20] = 0xFE
		return em
	}),
	rsaCase("signature_mismatch_rsa_padding_unended", func(n int, d []byte) []byte {
		em := padded(n, infoSHA256, d)
		em[bytes.IndexByte(em[2:], 0)+2] = 0xFF
		return em
	}),
	rsaCase("signature_mismatch_rsa_other_digest_named", func(n int, d []byte) []byte {
		return padded(n, "3031300d060960864801650304020305000420", d)
	}),
	rsaCase("signature_mismatch_rsa_md5_named", func(n int, d []byte) []byte {
		return padded(n, "3020300c06082a864886f70d020505000410", d[:16])
	}),
	rsaCase("signature_mismatch_rsa_digest_info_missing", func(n int, d []byte) []byte { return padded(n, "", d) }),
	rsaCase("signature_mismatch_rsa_octets_missing", func(n int, d []byte) []byte {
		return padded(n, "302f300d06096086480165030402010500", d)
	}),
	rsaValue("signature_mismatch_rsa_longer", func(k *rsa.PrivateKey, d []byte) []byte { return append([]byte{0}, goodRSA(k, d)...) }),
	rsaValue("signature_mismatch_rsa_trailing", func(k *rsa.PrivateKey, d []byte) []byte { return append(goodRSA(k, d), 0) }),
	rsaValue("signature_mismatch_rsa_shorter", func(k *rsa.PrivateKey, d []byte) []byte { return goodRSA(k, d)[1:] }),
	rsaValue("signature_mismatch_rsa_empty", func(*rsa.PrivateKey, []byte) []byte { return nil }),
	rsaValue("signature_mismatch_rsa_zero", func(k *rsa.PrivateKey, _ []byte) []byte { return make([]byte, k.Size()) }),
	rsaValue("signature_mismatch_rsa_one", func(k *rsa.PrivateKey, _ []byte) []byte { return big.NewInt(1).FillBytes(make([]byte, k.Size())) }),
	rsaValue("signature_mismatch_rsa_modulus", func(k *rsa.PrivateKey, _ []byte) []byte { return k.N.Bytes() }),
	rsaValue("signature_mismatch_rsa_plus_modulus", func(k *rsa.PrivateKey, d []byte) []byte {
		return new(big.Int).Add(new(big.Int).SetBytes(goodRSA(k, d)), k.N).Bytes()
	}),
	rsaValue("signature_mismatch_rsa_negated", func(k *rsa.PrivateKey, d []byte) []byte {
		return new(big.Int).Sub(k.N, new(big.Int).SetBytes(goodRSA(k, d))).FillBytes(make([]byte, k.Size()))
	}),
	rsaValue("signature_mismatch_rsa_sha512_digest", func(k *rsa.PrivateKey, d []byte) []byte {
		return rsaPower(k, padded(k.Size(), "3051300d060960864801650304020305000440", append(d, d...)))
	}),

	// ECDSA-Sig-Value (RFC 3279, 2.2.3): DER, with 0 < r, s < n.
	ecCase("valid_ecdsa_control", func(r, s, _ *big.Int) []byte { return rs(r, s) }),
	ecCase("valid_ecdsa_other_half", func(r, s, n *big.Int) []byte { return rs(r, new(big.Int).Sub(n, s)) }), // (r, n-s) is as good
	ecCase("signature_mismatch_ecdsa_r_zero", func(_, s, _ *big.Int) []byte { return rs(new(big.Int), s) }),
	ecCase("signature_mismatch_ecdsa_s_zero", func(r, _, _ *big.Int) []byte { return rs(r, new(big.Int)) }),
	ecCase("signature_mismatch_ecdsa_both_zero", func(_, _, _ *big.Int) []byte { return rs(new(big.Int), new(big.Int)) }),
	ecCase("signature_mismatch_ecdsa_both_one", func(_, _, _ *big.Int) []byte { return rs(big.NewInt(1), big.NewInt(1)) }),
	ecCase("signature_mismatch_ecdsa_r_and_n", func(r, s, n *big.Int) []byte { return rs(new(big.Int).Add(r, n), s) }),
	ecCase("signature_mismatch_ecdsa_s_and_n", func(r, s, n *big.Int) []byte { return rs(r, new(big.Int).Add(s, n)) }),
	ecCase("signature_mismatch_ecdsa_s_is_n", func(r, _, n *big.Int) []byte { return rs(r, n) }),
	ecCase("signature_mismatch_ecdsa_r_negative", func(r, s, _ *big.Int) []byte { return rs(new(big.Int).Neg(r), s) }),
	ecCase("signature_mismatch_ecdsa_s_less_n", func(r, s, n *big.Int) []byte { return rs(r, new(big.Int).Sub(s, n)) }),
	ecCase("signature_mismatch_ecdsa_r_huge", func(r, s, n *big.Int) []byte { return rs(new(big.Int).Lsh(n, 4096), s) }),
	ecCase("signature_mismatch_ecdsa_long_length", func(r, s, _ *big.Int) []byte {
		b := rs(r, s)
		return append([]byte{0x30, 0x81}, b[1:]...)
	}),
	ecCase("signature_mismatch_ecdsa_indefinite", func(r, s, _ *big.Int) []byte { return append(append([]byte{0x30, 0x80}, rs(r, s)[2:]...), 0, 0) }),
	ecCase("signature_mismatch_ecdsa_leading_zeros", func(r, s, _ *big.Int) []byte {
		return der(0x30, der(2, append([]byte{0, 0}, raw(r)...)), must(asn1.Marshal(s)))
	}),
	ecCase("signature_mismatch_ecdsa_trailing_inside", func(r, s, _ *big.Int) []byte {
		return der(0x30, must(asn1.Marshal(r)), must(asn1.Marshal(s)), []byte{5, 0})
	}),
	ecCase("signature_mismatch_ecdsa_trailing_after", func(r, s, _ *big.Int) []byte { return append(rs(r, s), 0) }),
	ecCase("signature_mismatch_ecdsa_s_missing", func(r, _, _ *big.Int) []byte { return der(0x30, must(asn1.Marshal(r))) }),
	ecCase("signature_mismatch_ecdsa_empty_sequence", func(_, _, _ *big.Int) []byte { return []byte{0x30, 0} }),
	ecCase("signature_mismatch_ecdsa_empty", func(_, _, _ *big.Int) []byte { return nil }),
	ecCase("signature_mismatch_ecdsa_plain", func(r, s, _ *big.Int) []byte { return append(raw(r), raw(s)...) }),
	ecCase("signature_mismatch_ecdsa_octets", func(r, s, _ *big.Int) []byte { return der(0x30, der(4, raw(r)), der(4, raw(s))) }),
	ecCase("signature_mismatch_ecdsa_set", func(r, s, _ *big.Int) []byte { return der(0x31, must(asn1.Marshal(r)), must(asn1.Marshal(s))) }),

	// Ed25519 (RFC 8032, 5.1.7).
	{name: "signature_mismatch_ed25519_malleable", want: signing.SignatureMismatch, make: edValue(func(b []byte) []byte {
		order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
		s := slices.Clone(b[32:])
		slices.Reverse(s)
		sum := new(big.Int).Add(new(big.Int).SetBytes(s), order).FillBytes(make([]byte, 32))
		slices.Reverse(sum)
		return append(slices.Clone(b[:32]), sum...)
	})},
	{name: "signature_mismatch_ed25519_zero", want: signing.SignatureMismatch, make: edValue(func(b []byte) []byte { return make([]byte, 64) })},
	{name: "signature_mismatch_ed25519_short", want: signing.SignatureMismatch, make: edValue(func(b []byte) []byte { return b[:63] })},
	{name: "signature_mismatch_ed25519_long", want: signing.SignatureMismatch, make: edValue(func(b []byte) []byte { return append(slices.Clone(b), 0) })},
	{name: "algorithm_mismatch_ed25519_sha256", want: signing.AlgorithmMismatch, make: func(w *world) []byte {
		return w.signKey(testpki.Ed25519, testpki.CMS{Digest: crypto.SHA256})
	}},

	// RSASSA-PSS (RFC 4055, 3; RFC 4056).
	{name: "signature_mismatch_pss_salt_understated", want: signing.SignatureMismatch, make: pssNamed(pssParams(oidSHA256DER, oidSHA256DER, 20, nil))},
	{name: "signature_mismatch_pss_salt_overstated", want: signing.SignatureMismatch, make: pssNamed(pssParams(oidSHA256DER, oidSHA256DER, 40, nil))},
	{name: "signature_mismatch_pss_salt_zero_named", want: signing.SignatureMismatch, make: pssNamed(pssParams(oidSHA256DER, oidSHA256DER, 0, nil))},
	{name: "signature_mismatch_pss_salt_too_long", want: signing.SignatureMismatch, make: pssNamed(pssParams(oidSHA256DER, oidSHA256DER, 1000, nil))},
	{name: "signature_mismatch_pss_other_mask", want: signing.SignatureMismatch, make: pssNamed(pssParams(oidSHA256DER, oidSHA384DER, 32, nil))},
	{name: "valid_pss_trailer_named", make: pssNamed(pssParams(oidSHA256DER, oidSHA256DER, 32, der(0xA3, []byte{2, 1, 1})))},
	{name: "algorithm_mismatch_pss_trailer", want: signing.AlgorithmMismatch, make: pssNamed(pssParams(oidSHA256DER, oidSHA256DER, 32, der(0xA3, []byte{2, 1, 2})))},
	{name: "algorithm_mismatch_pss_other_digest", want: signing.AlgorithmMismatch, make: pssNamed(pssParams(oidSHA384DER, oidSHA384DER, 32, nil))},
	{name: "algorithm_mismatch_pss_defaults", want: signing.AlgorithmMismatch, make: pssNamed(der(0x30))}, // SHA-1, under a SHA-256 signer
	{name: "algorithm_mismatch_pss_salt_negative", want: signing.AlgorithmMismatch, make: pssNamed(pssParams(oidSHA256DER, oidSHA256DER, -1, nil))},
	{name: "algorithm_mismatch_pss_parameters_missing", want: signing.AlgorithmMismatch, make: pssNamed(nil)},
	{name: "signature_mismatch_pss_named_rsa", want: signing.SignatureMismatch, make: func(w *world) []byte {
		return w.signKey(testpki.RSA2048, testpki.CMS{PSS: true, Bend: func(p string, b []byte) []byte {
			if p == "signatureAlgorithm" {
				return der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11})), []byte{5, 0})
			}
			return b
		}})
	}},
	{name: "signature_mismatch_rsa_named_pss", want: signing.SignatureMismatch, make: func(w *world) []byte {
		return w.signKey(testpki.RSA2048, testpki.CMS{Bend: func(p string, b []byte) []byte {
			if p == "signatureAlgorithm" {
				return der(0x30, must(asn1.Marshal(oidPSS)), pssParams(oidSHA256DER, oidSHA256DER, 32, nil))
			}
			return b
		}})
	}},
	{name: "algorithm_mismatch_rsa_sha384_named", want: signing.AlgorithmMismatch, make: func(w *world) []byte {
		return w.signKey(testpki.RSA2048, testpki.CMS{Bend: func(p string, b []byte) []byte {
			if p == "signatureAlgorithm" {
				return der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12})), []byte{5, 0})
			}
			return b
		}})
	}},
	{name: "valid_rsa_sha256_named", make: func(w *world) []byte {
		return w.signKey(testpki.RSA2048, testpki.CMS{Bend: func(p string, b []byte) []byte {
			if p == "signatureAlgorithm" {
				return der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11})))
			}
			return b
		}})
	}, openssl: true},
	{name: "valid_ecdsa_null_parameters", make: bend("signatureAlgorithm", func([]byte) []byte {
		return der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2})), []byte{5, 0})
	}), openssl: true},
	{name: "valid_ecdsa_named_by_key", make: bend("signatureAlgorithm", func([]byte) []byte {
		return der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1})))
	})},
}

var (
	oidPSS       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidSHA256DER = der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1})), []byte{5, 0})
	oidSHA384DER = der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2})), []byte{5, 0})
)

func pssParams(hash, mask []byte, salt int, more []byte) []byte {
	return der(0x30, der(0xA0, hash), der(0xA1, der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8})), mask)),
		der(0xA2, must(asn1.Marshal(salt))), more)
}

// pssNamed is a PSS signature with SHA-256 and a salt of 32 whose parameters say something else.
func pssNamed(params []byte) func(*world) []byte {
	return func(w *world) []byte {
		return w.signKey(testpki.RSA2048, testpki.CMS{PSS: true, Bend: func(p string, b []byte) []byte {
			if p == "signatureAlgorithm" {
				return der(0x30, must(asn1.Marshal(oidPSS)), params)
			}
			return b
		}})
	}
}

func edValue(change func([]byte) []byte) func(*world) []byte {
	return func(w *world) []byte {
		return w.signKey(testpki.Ed25519, testpki.CMS{Bend: func(p string, b []byte) []byte {
			if p == "signature" {
				return change(b)
			}
			return b
		}})
	}
}

func TestSignatureValues(t *testing.T) {
	t.Parallel()
	runCMS(t, signatureCases)
}

// keyCase is a message of the usual key whose certificate has another SubjectPublicKeyInfo.
func keyCase(name string, verdict signing.Verdict, want signing.Reason, spki func(w *world) []byte) cmsCase {
	return cmsCase{name: name, verdict: verdict, want: want, make: func(w *world) []byte {
		id := *w.agency
		id.Certificate = w.bendTBS(id.Certificate, tbsKey, spki(w))
		return w.sign(testpki.CMS{Signers: []*testpki.Identity{&id}})
	}}
}

var (
	ecOID  = must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}))
	p256   = must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}))
	rsaOID = must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}))
	edOID  = must(asn1.Marshal(asn1.ObjectIdentifier{1, 3, 101, 112}))
)

func spki(algorithm, bits []byte) []byte {
	return der(0x30, algorithm, der(3, []byte{0}, bits))
}

func ecKey(params, point []byte) []byte { return spki(der(0x30, ecOID, params), point) }

func rsaKey(n, e *big.Int) []byte {
	return spki(der(0x30, rsaOID, []byte{5, 0}), der(0x30, must(asn1.Marshal(n)), must(asn1.Marshal(e))))
}

// rsaSigned is a message of an RSA key whose certificate states n and e as change makes them.
func rsaSigned(name string, verdict signing.Verdict, want signing.Reason, key func(k *rsa.PrivateKey) []byte, value func(k *rsa.PrivateKey, digest []byte) []byte) cmsCase {
	return cmsCase{name: name, verdict: verdict, want: want, make: func(w *world) []byte {
		id := w.issue(testpki.Request{Name: "RSA", Key: testpki.RSA2048})
		k := id.Key.(*rsa.PrivateKey)
		id.Certificate = w.bendTBS(id.Certificate, tbsKey, key(k))
		id.Key = oddKey{k, func(digest []byte) []byte { return value(k, digest) }}
		return w.sign(testpki.CMS{Signers: []*testpki.Identity{id}})
	}}
}

func agencyPoint(w *world) []byte {
	point, err := w.agency.Key.Public().(*ecdsa.PublicKey).Bytes()
	w.must(err)
	return point
}

var keyCases = []cmsCase{
	keyCase("valid_key_control", signing.Valid, "", func(w *world) []byte { return ecKey(p256, agencyPoint(w)) }),
	keyCase("valid_key_compressed_point", signing.Valid, "", func(w *world) []byte {
		p := agencyPoint(w)
		return ecKey(p256, append([]byte{2 + p[64]&1}, p[1:33]...))
	}),
	keyCase("certificate_malformed_point_off_curve", signing.Invalid, signing.CertificateMalformed, func(w *world) []byte { return ecKey(p256, flip(agencyPoint(w))) }),
	keyCase("certificate_malformed_point_at_infinity", signing.Invalid, signing.CertificateMalformed, func(w *world) []byte { return ecKey(p256, []byte{0}) }),
	keyCase("certificate_malformed_point_hybrid", signing.Invalid, signing.CertificateMalformed, func(w *world) []byte {
		p := agencyPoint(w)
		p[0] = 6 + p[64]&1
		return ecKey(p256, p)
	}),
	keyCase("certificate_malformed_point_short", signing.Invalid, signing.CertificateMalformed, func(w *world) []byte { return ecKey(p256, agencyPoint(w)[:64]) }),
	keyCase("certificate_malformed_point_empty", signing.Invalid, signing.CertificateMalformed, func(w *world) []byte { return ecKey(p256, nil) }),
	keyCase("signature_algorithm_unsupported_explicit_curve", signing.Undetermined, signing.SignatureUnsupported, func(w *world) []byte {
		return ecKey(explicitCurve(elliptic.P256().Params().Gx, elliptic.P256().Params().Gy), agencyPoint(w))
	}),
	// CVE-2020-0601: the generator is the victim's point, so that anyone knows the private key (1).
	keyCase("signature_algorithm_unsupported_own_generator", signing.Undetermined, signing.SignatureUnsupported, func(w *world) []byte {
		p := agencyPoint(w)
		return ecKey(explicitCurve(new(big.Int).SetBytes(p[1:33]), new(big.Int).SetBytes(p[33:])), p)
	}),
	keyCase("signature_algorithm_unsupported_implicit_curve", signing.Undetermined, signing.SignatureUnsupported, func(w *world) []byte { return ecKey([]byte{5, 0}, agencyPoint(w)) }),
	keyCase("signature_algorithm_unsupported_curve_missing", signing.Undetermined, signing.SignatureUnsupported, func(w *world) []byte { return ecKey(nil, agencyPoint(w)) }),
	keyCase("signature_algorithm_unsupported_gost", signing.Undetermined, signing.SignatureUnsupported, func(w *world) []byte {
		return spki(der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 1, 1}))), der(4, make([]byte, 64)))
	}),
	keyCase("signature_algorithm_unsupported_ed448", signing.Undetermined, signing.SignatureUnsupported, func(w *world) []byte {
		return spki(der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 3, 101, 113}))), make([]byte, 57))
	}),
	keyCase("signature_algorithm_unsupported_ml_dsa", signing.Undetermined, signing.SignatureUnsupported, func(w *world) []byte {
		return spki(der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 18}))), make([]byte, 1952))
	}),
	keyCase("algorithm_mismatch_key_of_another_kind", signing.Invalid, signing.AlgorithmMismatch, func(w *world) []byte {
		return rsaKey(new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), 2047), 0, 1), big.NewInt(65537))
	}),

	rsaSigned("valid_rsa_key_without_null", signing.Valid, "", func(k *rsa.PrivateKey) []byte {
		return spki(der(0x30, rsaOID), der(0x30, must(asn1.Marshal(k.N)), must(asn1.Marshal(k.E))))
	}, goodRSA),
	rsaSigned("weak_key_rsa_exponent_one", signing.Undetermined, signing.WeakKey,
		func(k *rsa.PrivateKey) []byte { return rsaKey(k.N, big.NewInt(1)) },
		func(k *rsa.PrivateKey, d []byte) []byte { return padded(k.Size(), infoSHA256, d) }),
	rsaSigned("signature_algorithm_unsupported_rsa_exponent_even", signing.Undetermined, signing.SignatureUnsupported,
		func(k *rsa.PrivateKey) []byte { return rsaKey(k.N, big.NewInt(65536)) }, goodRSA),
	rsaSigned("signature_algorithm_unsupported_rsa_exponent_huge", signing.Undetermined, signing.SignatureUnsupported,
		func(k *rsa.PrivateKey) []byte { return rsaKey(k.N, new(big.Int).Sub(k.N, big.NewInt(2))) }, goodRSA),
	rsaSigned("signature_algorithm_unsupported_rsa_modulus_negative", signing.Undetermined, signing.SignatureUnsupported,
		func(k *rsa.PrivateKey) []byte { return rsaKey(new(big.Int).Neg(k.N), big.NewInt(65537)) }, goodRSA),
	rsaSigned("signature_algorithm_unsupported_rsa_modulus_zero", signing.Undetermined, signing.SignatureUnsupported,
		func(k *rsa.PrivateKey) []byte { return rsaKey(new(big.Int), big.NewInt(65537)) }, goodRSA),
	rsaSigned("signature_algorithm_unsupported_rsa_modulus_huge", signing.Undetermined, signing.SignatureUnsupported,
		func(k *rsa.PrivateKey) []byte { return rsaKey(new(big.Int).Lsh(k.N, 20000), big.NewInt(65537)) }, goodRSA),
	// Bleichenbacher's forgery: the cube root of a block whose end is free.
	rsaSigned("signature_mismatch_rsa_cube_root", signing.Invalid, signing.SignatureMismatch,
		func(k *rsa.PrivateKey) []byte { return rsaKey(k.N, big.NewInt(3)) },
		func(k *rsa.PrivateKey, d []byte) []byte {
			em := slices.Concat([]byte{0, 1}, bytes.Repeat([]byte{0xFF}, 8), []byte{0}, unhex(infoSHA256), d)
			block := new(big.Int).SetBytes(append(em, make([]byte, k.Size()-len(em))...))
			return cubeRoot(block).FillBytes(make([]byte, k.Size()))
		}),
	{name: "weak_key_ed25519_small_order", verdict: signing.Undetermined, want: signing.WeakKey, make: func(w *world) []byte {
		id := w.issue(testpki.Request{Name: "Ed25519", Key: testpki.Ed25519})
		id.Certificate = w.bendTBS(id.Certificate, tbsKey, spki(der(0x30, edOID), append([]byte{1}, make([]byte, 31)...)))
		forged := make([]byte, ed25519.SignatureSize) // R the neutral point, s zero: it fits every message
		forged[0] = 1
		return w.sign(testpki.CMS{Signers: []*testpki.Identity{id}, Bend: func(p string, b []byte) []byte {
			if p == "signature" {
				return forged
			}
			return b
		}})
	}},
}

func explicitCurve(gx, gy *big.Int) []byte {
	c := elliptic.P256().Params()
	a := new(big.Int).Sub(c.P, big.NewInt(3))
	return der(0x30, []byte{2, 1, 1}, der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 10045, 1, 1})), must(asn1.Marshal(c.P))),
		der(0x30, der(4, raw(a)), der(4, raw(c.B))), der(4, []byte{4}, raw(gx), raw(gy)), must(asn1.Marshal(c.N)), []byte{2, 1, 1})
}

// cubeRoot is the least number whose cube is not below n.
func cubeRoot(n *big.Int) *big.Int {
	low, high := new(big.Int), new(big.Int).Lsh(big.NewInt(1), uint(n.BitLen()/3+1))
	for low.Cmp(high) < 0 {
		mid := new(big.Int).Rsh(new(big.Int).Add(low, high), 1)
		if new(big.Int).Exp(mid, big.NewInt(3), nil).Cmp(n) < 0 {
			low = mid.Add(mid, big.NewInt(1))
		} else {
			high = mid
		}
	}
	return low
}

func TestKeys(t *testing.T) {
	t.Parallel()
	runCMS(t, keyCases)
}

// The largest key that is taken costs little.
func TestHugeRSAKeyIsQuick(t *testing.T) {
	t.Parallel()
	c := rsaSigned("huge", "", "", func(k *rsa.PrivateKey) []byte {
		n := new(big.Int).SetBit(new(big.Int).Lsh(k.N, 16384-2048), 0, 1)
		return rsaKey(n, big.NewInt(65537))
	}, func(*rsa.PrivateKey, []byte) []byte { return bytes.Repeat([]byte{0x7F}, 2048) })
	w := newWorld(t)
	b, o := c.make(w), w.options()
	start := time.Now()
	r := verify(detached(content, b), o)
	signing.Soon(t, start, 2*time.Second)
	if r.Verdict != signing.Invalid || !hasReason(r.Files[0].Reasons, signing.SignatureMismatch) {
		t.Errorf("%s %v", r.Verdict, r.Files[0].Reasons)
	}
}

// Names that crypto/x509 refuses do not make a document false.
func TestOddNames(t *testing.T) {
	t.Parallel()
	for name, value := range map[string][]byte{
		"at_in_printable_string": der(0x13, []byte("van.thu@so.test")),
		"underscore":             der(0x13, []byte("van_thu")),
		"latin1_in_utf8":         der(0x0C, []byte("S\xE0i G\xF2n")),
		"universal_string":       der(0x1C, []byte("\x00\x00\x00S\x00\x00\x00o")),
		"ia5_with_high_bytes":    der(0x16, []byte("S\xE0i")),
		"bmp_with_odd_length":    der(0x1E, []byte("\x00S\x00")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			subject := der(0x30, der(0x31, der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{2, 5, 4, 3})), value)))
			id := *w.agency
			id.Certificate = w.bendTBS(id.Certificate, tbsSubject, subject)
			r := verify(detached(content, w.sign(testpki.CMS{Signers: []*testpki.Identity{&id}})), w.options())
			if r.Verdict != signing.Valid || r.Signatures[0].Signer == "" {
				t.Errorf("%s %v, signer %q", r.Verdict, r.Files[0].Reasons, r.Signatures[0].Signer)
			}
		})
	}
}
