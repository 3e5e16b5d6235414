package signing_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"go/build"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/signing"
)

// TestPKITSOfNIST judges NIST's own certificates, which lie in the sources of Go, without its lists, which do not: each path
// with its own authorities alone, and with those of the whole suite.
func TestPKITSOfNIST(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(build.Default.GOROOT, "src/crypto/x509/testdata/nist-pkits")
	raw, err := os.ReadFile(filepath.Join(dir, "vectors.json"))
	if err != nil {
		t.Skip("Go is here without its tests")
	}
	var vectors []struct {
		Name                                                                        string
		CertPath, InitialPolicySet                                                  []string
		ShouldValidate                                                              bool
		InitialPolicyMappingInhibit, InitialExplicitPolicy, InitialAnyPolicyInhibit bool
	}
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(filepath.Join(dir, "certs"))
	if err != nil {
		t.Fatal(err)
	}
	der, all := map[string][]byte{}, []*x509.Certificate{}
	for _, f := range files {
		if der[f.Name()], err = os.ReadFile(filepath.Join(dir, "certs", f.Name())); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(f.Name(), "EE.crt") {
			all = append(all, parsed(t, der[f.Name()]))
		}
	}
	for _, v := range vectors {
		o := signing.PathOptions{ExplicitPolicy: v.InitialExplicitPolicy, InhibitMapping: v.InitialPolicyMappingInhibit, InhibitAnyPolicy: v.InitialAnyPolicyInhibit}
		for _, p := range v.InitialPolicySet {
			if n, ok := strings.CutPrefix(p, "NIST-test-policy-"); ok {
				o.Policies = append(o.Policies, "2.16.840.1.101.3.2.1.48."+n)
			}
		}
		var own []*x509.Certificate
		for _, name := range v.CertPath[1 : len(v.CertPath)-1] {
			own = append(own, parsed(t, der[name]))
		}
		anchors := []signing.Anchor{{Certificate: parsed(t, der[v.CertPath[0]])}}
		for _, pool := range [][]*x509.Certificate{own, all} {
			o.Options = signing.Options{At: now, Revocation: signing.Off, AllowSHA1: true, Trust: &signing.Trust{Anchors: anchors, Intermediates: pool}}
			r := signing.VerifyPath(context.Background(), der[v.CertPath[len(v.CertPath)-1]], o)
			if valid := r.Verdict == signing.Valid; valid != (v.ShouldValidate || byLists(v.Name)) {
				t.Errorf("%s, %d certificates: %s %v", v.Name, len(pool), r.Verdict, r.Reasons)
			}
		}
	}
}

// byLists says of a test that fails to validate that it does so only for its revocation lists.
func byLists(name string) bool {
	return slices.ContainsFunc([]string{"4.4.", "4.5.2 ", "4.5.5 ", "4.5.7 ", "4.7.4 ", "4.7.5 ", "4.14.", "4.15."}, func(section string) bool { return strings.HasPrefix(name, section) })
}
