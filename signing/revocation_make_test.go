package signing_test

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// list is a revocation list to make, piece by piece, so that every rule can be broken.
type list struct {
	by         *testpki.Identity // whose key signs
	named      *testpki.Identity // whose name stands in it; nil: by
	v1         bool
	from, to   time.Time // default: an hour before now, ten days on; to = never: no nextUpdate
	number     int64     // 0: none
	base       int64     // of a delta; 0: complete
	scope      []byte    // value of issuingDistributionPoint
	entries    []entry
	extensions []pkix.Extension
}

// entry is one of its entries.
type entry struct {
	serial     *big.Int
	at         time.Time // default: two hours before now
	reason     int       // 0: none
	extensions []pkix.Extension
}

var never = time.Unix(1, 0)

func (l list) make(t testing.TB) []byte {
	t.Helper()
	if l.named == nil {
		l.named = l.by
	}
	if l.from.IsZero() {
		l.from = now.Add(-time.Hour)
	}
	if l.to.IsZero() {
		l.to = now.AddDate(0, 0, 10)
	}
	algorithm := der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2})))
	parts := [][]byte{algorithm, l.named.Certificate.RawSubject, asTime(l.from)}
	if !l.v1 {
		parts = append([][]byte{{2, 1, 1}}, parts...)
	}
	if !l.to.Equal(never) {
		parts = append(parts, asTime(l.to))
	}
	if len(l.entries) > 0 {
		var list [][]byte
		for _, e := range l.entries {
			list = append(list, e.der())
		}
		parts = append(parts, der(0x30, list...))
	}
	if !l.v1 {
		parts = append(parts, der(0xA0, extensionsDER(l.all())))
	}
	tbs := der(0x30, parts...)
	sum := sha256.Sum256(tbs)
	signature, err := l.by.Key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return der(0x30, tbs, algorithm, der(3, []byte{0}, signature))
}

func (l list) all() []pkix.Extension {
	out := []pkix.Extension{{Id: oidOf("2.5.29.35"), Value: der(0x30, der(0x80, l.by.Certificate.SubjectKeyId))}}
	if l.number != 0 {
		out = append(out, pkix.Extension{Id: oidOf("2.5.29.20"), Value: must(asn1.Marshal(l.number))})
	}
	if l.base != 0 {
		out = append(out, pkix.Extension{Id: oidOf("2.5.29.27"), Critical: true, Value: must(asn1.Marshal(l.base))})
	}
	if l.scope != nil {
		out = append(out, pkix.Extension{Id: oidOf("2.5.29.28"), Critical: true, Value: l.scope})
	}
	return append(out, l.extensions...)
}

func (e entry) der() []byte {
	if e.at.IsZero() {
		e.at = now.Add(-2 * time.Hour)
	}
	parts := [][]byte{must(asn1.Marshal(e.serial)), asTime(e.at)}
	all := e.extensions
	if e.reason != 0 {
		all = append([]pkix.Extension{{Id: oidOf("2.5.29.21"), Value: []byte{0x0a, 1, byte(e.reason)}}}, all...)
	}
	if len(all) > 0 {
		parts = append(parts, extensionsDER(all))
	}
	return der(0x30, parts...)
}

func extensionsDER(all []pkix.Extension) []byte {
	var out [][]byte
	for _, e := range all {
		out = append(out, must(asn1.Marshal(e)))
	}
	return der(0x30, out...)
}

func asTime(t time.Time) []byte {
	t = t.UTC()
	if t.Year() < 1950 || t.Year() > 2049 {
		return generalized(t)
	}
	return must(asn1.Marshal(t))
}

func generalized(t time.Time) []byte { return der(0x18, []byte(t.UTC().Format("20060102150405Z"))) }

func oidOf(text string) asn1.ObjectIdentifier { return extension(text, false).Id }

// Pieces of distribution points.

func fullName(names ...[]byte) []byte { return der(0xA0, der(0xA0, names...)) }
func relativeName(cn string) []byte   { return der(0xA0, der(0xA1, attributeCN(cn))) }
func attributeCN(cn string) []byte {
	return der(0x30, must(asn1.Marshal(oidOf("2.5.4.3"))), der(0x0C, []byte(cn)))
}
func lister(id *testpki.Identity) []byte   { return der(0xA2, directory(id.Certificate.RawSubject)) }
func reasons(tag byte, bits ...int) []byte { return der(tag, reasonBits(bits)...) }

func reasonBits(bits []int) [][]byte {
	b := []byte{0, 0}
	for _, n := range bits {
		b[n/8] |= 0x80 >> (n % 8)
	}
	return [][]byte{{7}, b}
}

// child is a name under another.
func child(of []byte, cn string) []byte { return der(0x30, inner(of), der(0x31, attributeCN(cn))) }

var (
	usersOnly      = []byte{0x81, 1, 0xFF}
	casOnly        = []byte{0x82, 1, 0xFF}
	indirect       = []byte{0x84, 1, 0xFF}
	attributesOnly = []byte{0x85, 1, 0xFF}
)

func scopeOf(parts ...[]byte) []byte { return der(0x30, parts...) }

// issuerOf is the entry extension certificateIssuer.
func issuerOf(id *testpki.Identity) pkix.Extension {
	return pkix.Extension{Id: oidOf("2.5.29.29"), Critical: true, Value: der(0x30, directory(id.Certificate.RawSubject))}
}

// leaf is a certificate of the issuing CA with distribution points; none: without the extension.
func (w *world) leaf(points ...[]byte) *testpki.Identity { return w.leafOf(w.Issuing, points...) }

func (w *world) leafOf(ca *testpki.Identity, points ...[]byte) *testpki.Identity {
	w.t.Helper()
	id, err := w.IssueUnder(ca, testpki.Request{Name: "Lá", Edit: withPoints()})
	w.must(err)
	if len(points) > 0 { // written here: crypto/x509 does not know names relative to the issuer
		id.Certificate = w.reissue(ca, id.Certificate, func(tbs [][]byte) {
			last := &tbs[len(tbs)-1]
			points := must(asn1.Marshal(pkix.Extension{Id: oidOf("2.5.29.31"), Value: der(0x30, points...)}))
			*last = der(0xA3, der(0x30, inner(inner(*last)), points))
		})
	}
	return id
}

// renumber gives a certificate another serial number, such as crypto/x509 does not write.
func (w *world) renumber(id *testpki.Identity, serial *big.Int) {
	id.Certificate = w.reissue(w.Issuing, id.Certificate, func(tbs [][]byte) { tbs[1] = must(asn1.Marshal(serial)) })
}

// reissue signs a certificate anew after its parts were changed.
func (w *world) reissue(ca *testpki.Identity, c *x509.Certificate, edit func(tbs [][]byte)) *x509.Certificate {
	var parts [][]byte
	for rest := inner(c.RawTBSCertificate); len(rest) > 0; {
		var v asn1.RawValue
		rest = must(asn1.Unmarshal(rest, &v))
		parts = append(parts, v.FullBytes)
	}
	algorithm := parts[2]
	edit(parts)
	tbs := der(0x30, parts...)
	sum := sha256.Sum256(tbs)
	signature, err := ca.Key.Sign(rand.Reader, sum[:], crypto.SHA256)
	w.must(err)
	out, err := signing.ParseCertificate(der(0x30, tbs, algorithm, der(3, []byte{0}, signature)))
	w.must(err)
	return out
}

func withPoints(points ...[]byte) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.CRLDistributionPoints = nil
		if len(points) > 0 {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: oidOf("2.5.29.31"), Value: der(0x30, points...)})
		}
	}
}

// authority is a further CA under another, or with another's name.
func (w *world) authority(under *testpki.Identity, name string, usage x509.KeyUsage, edit ...func(*x509.Certificate)) *testpki.Identity {
	w.t.Helper()
	id, err := w.IssueUnder(under, testpki.Request{Name: name, Edit: func(c *x509.Certificate) {
		c.IsCA, c.KeyUsage = usage&x509.KeyUsageCertSign != 0, usage
		c.CRLDistributionPoints = nil
		for _, f := range edit {
			f(c)
		}
	}})
	w.must(err)
	return id
}

// namedLike gives a certificate the subject of another.
func namedLike(id *testpki.Identity) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.RawSubject, c.Subject = id.Certificate.RawSubject, pkix.Name{} }
}

// openssl says whether OpenSSL finds the path good.
func opensslPath(t *testing.T, w *world, leaf *testpki.Identity, others []*x509.Certificate, lists [][]byte) (bool, string) {
	t.Helper()
	dir := t.TempDir()
	put := func(name, kind string, list ...[]byte) string {
		var out []byte
		for _, b := range list {
			out = append(out, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b})...)
		}
		w.must(os.WriteFile(filepath.Join(dir, name), out, 0o600))
		return filepath.Join(dir, name)
	}
	var raw [][]byte
	for _, c := range others {
		raw = append(raw, c.Raw)
	}
	args := []string{"verify", "-attime", strconv.FormatInt(now.Add(time.Hour).Unix(), 10), "-crl_check_all", "-use_deltas", "-extended_crl",
		"-CAfile", put("root", "CERTIFICATE", w.Root.Certificate.Raw)}
	if len(raw) > 0 {
		args = append(args, "-untrusted", put("others", "CERTIFICATE", raw...))
	}
	if len(lists) > 0 {
		args = append(args, "-CRLfile", put("lists", "X509 CRL", lists...))
	}
	out, err := exec.Command("openssl", append(args, put("leaf", "CERTIFICATE", leaf.Certificate.Raw))...).CombinedOutput()
	return err == nil, strings.ReplaceAll(string(out), dir, "")
}
