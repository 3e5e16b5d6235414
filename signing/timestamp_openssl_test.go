package signing_test

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// TestTokensOfOpenSSL: tokens of another implementation are believed, with either binding of the authority's certificate,
// a fraction of a second, accuracy, ordering, nonce and the authority's name. It stamps with the machine's time.
func TestTokensOfOpenSSL(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not on PATH")
	}
	w, at := newWorld(t), time.Now()
	var err error
	w.PKI, err = testpki.New(testpki.Options{Now: at})
	w.must(err)
	w.agency, err = w.Agency("Sở Thử nghiệm", "H29.1")
	w.must(err)
	for _, binding := range []string{"sha1", "sha256", "sha512"} {
		var value []byte
		message := must(testpki.CMS{Signers: []*testpki.Identity{w.agency}, Time: at, Bend: func(piece string, b []byte) []byte {
			switch piece {
			case "signature":
				value = b
			case "unsignedAttributes":
				return der(0xA1, testpki.Attribute(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}, w.opensslToken(value, binding)))
			}
			return b
		}}.Sign(content))
		o := w.options()
		o.At = at.Add(time.Hour)
		if s := verify(detached(content, message), o).Signatures[0]; s.TimeSource != signing.TimeFromTimestamp || s.Verdict != signing.Valid {
			t.Errorf("bound by %s: %s %v %+v", binding, s.Verdict, s.Reasons, s.Timestamps)
		}
	}
}

// opensslToken has OpenSSL stamp a value as the world's authority.
func (w *world) opensslToken(value []byte, binding string) []byte {
	dir, err := os.MkdirTemp("", "")
	w.must(err)
	defer func() { _ = os.RemoveAll(dir) }()
	at := func(name string) string { return filepath.Join(dir, name) }
	config := fmt.Sprintf("[tsa]\ndefault_tsa=t\n[t]\nserial=%s\nsigner_cert=%s\nsigner_key=%s\nsigner_digest=sha256\ndefault_policy=1.2.3.4\n"+
		"digests=sha384\naccuracy=secs:1\nordering=yes\ntsa_name=yes\ness_cert_id_alg=%s\nclock_precision_digits=3\n", at("serial"), at("cert"), at("key"), binding)
	for name, b := range map[string][]byte{"value": value, "serial": []byte("01"), "config": []byte(config),
		"key":  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(w.TSA.Key))}),
		"cert": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.TSA.Certificate.Raw})} {
		w.must(os.WriteFile(at(name), b, 0o600))
	}
	for _, args := range [][]string{{"ts", "-query", "-data", at("value"), "-sha384", "-cert", "-out", at("query")},
		{"ts", "-reply", "-config", at("config"), "-queryfile", at("query"), "-token_out", "-out", at("token")}} {
		if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
			w.t.Fatalf("%v: %s", err, out)
		}
	}
	return must(os.ReadFile(at("token")))
}
