package signing

import (
	"bytes"
	"crypto"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing/testpki"
)

// FuzzKey reads arbitrary bytes as a SubjectPublicKeyInfo, and lets whatever key comes of it judge arbitrary bytes as a
// signature of every scheme. Half of the input is each.
func FuzzKey(f *testing.F) {
	for _, kind := range []testpki.KeyKind{testpki.P256, testpki.P521, testpki.RSA2048, testpki.Ed25519} {
		p, err := testpki.New(testpki.Options{Now: time.Unix(1700000000, 0)})
		if err != nil {
			f.Fatal(err)
		}
		id, err := p.Issue(testpki.Request{Name: "x", Key: kind})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(id.Certificate.RawSubjectPublicKeyInfo, id.Certificate.Signature)
	}
	digest := make([]byte, 32)
	f.Fuzz(func(t *testing.T, spki, value []byte) {
		Bounded(t, len(spki)+len(value), func() {
			k, why := readKey(spki)
			if why != "" {
				return
			}
			_ = k.name()
			for _, s := range []scheme{{kind: "rsa", hash: crypto.SHA256}, {kind: "pss", hash: crypto.SHA256, mgf: crypto.SHA512, salt: len(value) % 300},
				{kind: "ecdsa", hash: crypto.SHA256}, {kind: "dsa", hash: crypto.SHA256}, {kind: "ed25519"}} {
				if why := k.verify(s, digest, value); why == "" && len(value) == 0 {
					t.Fatal("an empty signature is right")
				}
			}
		})
	})
}

// FuzzMessage reads arbitrary bytes as a message: what comes out is DER that reads again as itself, and all its signers,
// certificates and evidence are read without harm.
func FuzzMessage(f *testing.F) {
	p, err := testpki.New(testpki.Options{Now: time.Unix(1700000000, 0)})
	if err != nil {
		f.Fatal(err)
	}
	id, err := p.Agency("Sở Thử nghiệm", "H29.1")
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range []testpki.CMS{{}, {Attached: true}, {KeyID: true, TSA: p}} {
		c.Signers, c.Time = []*testpki.Identity{id}, p.Now()
		b, err := c.Sign([]byte("nội dung"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(testpki.BER(b))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		Bounded(t, len(b), func() {
			m, why := readMessage(sliceReader(b), int64(len(b)), maxFrame, true)
			if why != "" {
				return
			}
			var signers []signerInfo
			for _, der := range m.signers {
				again, err := normal(der, 5)
				if err != nil || !bytes.Equal(again, der) {
					t.Fatalf("not DER: %x, %v", der, err)
				}
				if s, why := readSigner(der); why == "" {
					signers = append(signers, s)
					_, _ = s.claimed(), sortedSet(s.signed)
				}
			}
			certs, _ := m.readCertificates(&lazyTrust{})
			for _, s := range signers {
				s.candidates(certs)
			}
			m.evidence(signers)
		})
	})
}
