package signing_test

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/signing"
)

// The fields of a TBSCertificate, as bendTBS counts them.
const (
	tbsSerial  = 1
	tbsIssuer  = 3
	tbsSubject = 5
	tbsKey     = 6
)

// bendTBS gives a certificate with one field replaced, signed anew by the issuing CA.
func (w *world) bendTBS(c *x509.Certificate, field int, by []byte) *x509.Certificate {
	w.t.Helper()
	var tbs asn1.RawValue
	mustParse(c.RawTBSCertificate, &tbs)
	var parts []byte
	for i, rest := 0, tbs.Bytes; len(rest) > 0; i++ {
		var v asn1.RawValue
		var err error
		rest, err = asn1.Unmarshal(rest, &v)
		w.must(err)
		if i == field {
			parts = append(parts, by...)
			continue
		}
		parts = append(parts, v.FullBytes...)
	}
	body := der(0x30, parts)
	h := crypto.SHA256.New()
	h.Write(body)
	value, err := w.Issuing.Key.Sign(rand.Reader, h.Sum(nil), crypto.SHA256)
	w.must(err)
	algorithm := der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2})))
	whole := der(0x30, body, algorithm, must(asn1.Marshal(asn1.BitString{Bytes: value, BitLength: 8 * len(value)})))
	x, err := signing.ParseCertificate(whole)
	w.must(err)
	return x
}

// opensslCase is a message that OpenSSL makes; it must be judged so. Valid is what is not said otherwise.
type opensslCase struct {
	name    string
	key     string // arguments of genpkey
	sign    string // further arguments of cms -sign
	verdict signing.Verdict
	want    signing.Reason
}

const (
	keyRSA = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"
	keyP   = "-algorithm EC -pkeyopt ec_paramgen_curve:"
	pss    = "-keyopt rsa_padding_mode:pss "
)

var opensslCases = []opensslCase{
	{name: "rsa", key: keyRSA},
	{name: "rsa_attached", key: keyRSA, sign: "-nodetach"},
	{name: "rsa_streamed_ber", key: keyRSA, sign: "-nodetach -stream"},
	{name: "rsa_streamed_detached", key: keyRSA, sign: "-stream"},
	{name: "rsa_pem", key: keyRSA, sign: "-outform PEM"},
	{name: "rsa_pem_attached", key: keyRSA, sign: "-outform PEM -nodetach"},
	{name: "rsa_key_identifier", key: keyRSA, sign: "-keyid"},
	{name: "rsa_cades", key: keyRSA, sign: "-cades"},
	{name: "rsa_cades_sha384", key: keyRSA, sign: "-cades -md sha384"},
	{name: "rsa_content_type_other", key: keyRSA, sign: "-econtent_type 1.2.3.4"},
	{name: "rsa_without_smime_capabilities", key: keyRSA, sign: "-nosmimecap"},
	{name: "rsa_without_attributes", key: keyRSA, sign: "-noattr", verdict: signing.Invalid, want: signing.NoSignedAttributes},
	{name: "rsa_without_certificate", key: keyRSA, sign: "-nocerts", verdict: signing.Undetermined, want: signing.SignerMissing},
	{name: "rsa_sha1", key: keyRSA, sign: "-md sha1", verdict: signing.Undetermined, want: signing.WeakDigest},
	{name: "rsa_sha224", key: keyRSA, sign: "-md sha224"},
	{name: "rsa_sha384", key: keyRSA, sign: "-md sha384"},
	{name: "rsa_sha512", key: keyRSA, sign: "-md sha512"},
	{name: "rsa_sha512_256", key: keyRSA, sign: "-md sha512-256"},
	{name: "rsa_sha512_224", key: keyRSA, sign: "-md sha512-224"},
	{name: "rsa_sha3_256", key: keyRSA, sign: "-md sha3-256"},
	{name: "rsa_sha3_512", key: keyRSA, sign: "-md sha3-512"},
	{name: "rsa_ripemd160", key: keyRSA, sign: "-md ripemd160", verdict: signing.Undetermined, want: signing.DigestUnsupported},
	{name: "rsa_1024", key: "-algorithm RSA -pkeyopt rsa_keygen_bits:1024", verdict: signing.Undetermined, want: signing.WeakKey},
	{name: "rsa_512", key: "-algorithm RSA -pkeyopt rsa_keygen_bits:512", verdict: signing.Undetermined, want: signing.WeakKey},
	{name: "rsa_3072", key: "-algorithm RSA -pkeyopt rsa_keygen_bits:3072"},
	{name: "rsa_odd_size", key: "-algorithm RSA -pkeyopt rsa_keygen_bits:2049", sign: pss},
	{name: "rsa_exponent_3", key: keyRSA + " -pkeyopt rsa_keygen_pubexp:3"},
	{name: "pss", key: keyRSA, sign: pss},
	{name: "pss_salt_0", key: keyRSA, sign: pss + "-keyopt rsa_pss_saltlen:0"},
	{name: "pss_salt_11", key: keyRSA, sign: pss + "-keyopt rsa_pss_saltlen:11"},
	{name: "pss_salt_20_sha1_defaults", key: keyRSA, sign: pss + "-keyopt rsa_pss_saltlen:20 -md sha1", verdict: signing.Undetermined, want: signing.WeakDigest},
	{name: "pss_salt_digest", key: keyRSA, sign: pss + "-keyopt rsa_pss_saltlen:digest"},
	{name: "pss_salt_max", key: keyRSA, sign: pss + "-keyopt rsa_pss_saltlen:max"},
	{name: "pss_mask_sha1", key: keyRSA, sign: pss + "-keyopt rsa_mgf1_md:sha1"},
	{name: "pss_mask_sha512", key: keyRSA, sign: pss + "-keyopt rsa_mgf1_md:sha512 -keyopt rsa_pss_saltlen:17"},
	{name: "pss_sha384", key: keyRSA, sign: pss + "-md sha384"},
	{name: "pss_sha512_attached", key: keyRSA, sign: pss + "-md sha512 -nodetach"},
	{name: "pss_1024", key: "-algorithm RSA -pkeyopt rsa_keygen_bits:1024", sign: pss, verdict: signing.Undetermined, want: signing.WeakKey},
	{name: "pss_key", key: "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048", sign: pss},
	{name: "pss_key_named_rsa", key: "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048", verdict: signing.Invalid, want: signing.AlgorithmMismatch}, // OpenSSL refuses it as well
	{name: "pss_key_restricted", key: "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md:sha256 -pkeyopt rsa_pss_keygen_mgf1_md:sha256 -pkeyopt rsa_pss_keygen_saltlen:32", sign: pss},
	{name: "pss_key_restricted_mask", key: "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md:sha512 -pkeyopt rsa_pss_keygen_mgf1_md:sha256 -pkeyopt rsa_pss_keygen_saltlen:0", sign: pss + "-md sha512"},
	{name: "ecdsa_p256", key: keyP + "P-256"},
	{name: "ecdsa_p256_sha512", key: keyP + "P-256", sign: "-md sha512"},
	{name: "ecdsa_p384", key: keyP + "P-384", sign: "-md sha384"},
	{name: "ecdsa_p521", key: keyP + "P-521", sign: "-md sha512"},
	{name: "ecdsa_compressed_key", key: keyP + "P-256 -pkeyopt point-format:compressed"},
	{name: "ecdsa_explicit_curve", key: keyP + "P-256 -pkeyopt ec_param_enc:explicit", verdict: signing.Undetermined, want: signing.SignatureUnsupported},
	{name: "ecdsa_p224", key: keyP + "secp224r1", verdict: signing.Undetermined, want: signing.SignatureUnsupported},
	{name: "ecdsa_secp256k1", key: keyP + "secp256k1", verdict: signing.Undetermined, want: signing.SignatureUnsupported},
	{name: "ecdsa_brainpool", key: keyP + "brainpoolP256r1", verdict: signing.Undetermined, want: signing.SignatureUnsupported},
	{name: "ecdsa_brainpool_twisted", key: keyP + "brainpoolP384t1", verdict: signing.Undetermined, want: signing.SignatureUnsupported},
}

func TestOpenSSLMakes(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not on PATH")
	}
	for _, c := range opensslCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			dir := t.TempDir()
			key := filepath.Join(dir, "key.pem")
			w.openssl("genpkey", "-out", key, c.key)
			w.checkOpenSSL(dir, key, c)
		})
	}
}

// DSA keys need parameters of their own.
func TestOpenSSLMakesDSA(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not on PATH")
	}
	for bits, want := range map[string]signing.Reason{"2048": "", "1024": signing.WeakKey} {
		w := newWorld(t)
		dir := t.TempDir()
		params, key := filepath.Join(dir, "params.pem"), filepath.Join(dir, "key.pem")
		w.openssl("dsaparam", "-out", params, bits)
		w.openssl("genpkey", "-out", key, "-paramfile "+params)
		c := opensslCase{name: "dsa_" + bits, want: want}
		if want != "" {
			c.verdict = signing.Undetermined
		}
		message := w.checkOpenSSL(dir, key, c)
		r := verify(detached(content, flip(message)), w.options()) // the end of s
		cmsCase{name: "signature_mismatch_dsa", want: signing.SignatureMismatch}.check(t, r)
	}
}

func (w *world) checkOpenSSL(dir, key string, c opensslCase) (message []byte) {
	w.t.Helper()
	file := func(name string) string { return filepath.Join(dir, name) }
	w.openssl("pkey", "-pubout", "-outform", "DER", "-in "+key+" -out "+file("pub.der"))
	spki, err := os.ReadFile(file("pub.der"))
	w.must(err)
	leaf := w.bendTBS(w.agency.Certificate, tbsKey, spki)
	w.must(os.WriteFile(file("leaf.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw}), 0o600))
	w.must(os.WriteFile(file("content"), content, 0o600))
	w.openssl("cms", "-sign", "-binary", "-outform", "DER",
		"-in "+file("content")+" -signer "+file("leaf.pem")+" -inkey "+key+" -out "+file("m")+" "+c.sign)
	message, err = os.ReadFile(file("m"))
	w.must(err)
	f := detached(content, message)
	if strings.Contains(c.sign, "-nodetach") {
		f = inside(message)
	}
	cmsCase{name: c.name, verdict: c.verdict, want: c.want}.check(w.t.(*testing.T), verify(f, w.options()))
	return message
}

func (w *world) openssl(args ...string) {
	w.t.Helper()
	var all []string
	for _, a := range args {
		all = append(all, strings.Fields(a)...)
	}
	if out, err := exec.Command("openssl", all...).CombinedOutput(); err != nil {
		w.t.Fatalf("openssl %s: %v\n%s", strings.Join(all, " "), err, out)
	}
}
