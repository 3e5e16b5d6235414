package signing_test

import (
	"crypto/x509"
	"testing"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// Every single-bit flip of three DER messages without unsigned attributes and with only path certificates is not valid.
func TestNoBitFlipIsValid(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(*world) []byte{
		"ecdsa": func(w *world) []byte { return w.sign(testpki.CMS{}) },
		"rsa_with_root": func(w *world) []byte {
			return w.signKey(testpki.RSA2048, testpki.CMS{Certificates: []*x509.Certificate{w.Root.Certificate}})
		},
		"attached_pss": func(w *world) []byte { return w.signKey(testpki.RSA2048, testpki.CMS{PSS: true, Attached: true}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			o, message := w.options(), make(w)
			file := func(b []byte) signing.File {
				if name == "attached_pss" {
					return inside(b)
				}
				return detached(content, b)
			}
			if got := verify(file(message), o).Verdict; got != signing.Valid {
				t.Fatalf("the message itself is %s", got)
			}
			for bit := 0; bit < len(message)*8; bit += flipStride {
				message[bit/8] ^= 1 << (bit % 8)
				if got := verify(file(message), o); got.Verdict == signing.Valid {
					t.Errorf("bit %d of byte %d (%#x) flipped: still valid, reasons %v", bit%8, bit/8, message[bit/8], got.Files[0].Reasons)
				}
				message[bit/8] ^= 1 << (bit % 8)
			}
		})
	}
}
