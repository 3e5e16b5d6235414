package signing_test

import (
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// shown are the reasons that some case asked for and got.
var shown sync.Map

// withoutCase are the reasons that no case of the corpus can be made to give, and why.
var withoutCase = map[signing.Reason]string{}

// TestMain holds, after a whole run, that every reason was the outcome of a case.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && whole() {
		for _, r := range signing.Reasons() {
			_, seen := shown.Load(r.Word)
			if _, excused := withoutCase[r.Word]; !seen && !excused {
				fmt.Printf("no case shows the reason %q\n", r.Word)
				code = 1
			}
		}
	}
	os.Exit(code)
}

// whole says that all tests were asked for.
func whole() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz", "test.bench"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return !testing.Short()
}

// TestEveryReasonIsUsed: a word that nothing gives is a promise that nobody keeps.
func TestEveryReasonIsUsed(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	declared, used := map[string]bool{}, map[string]int{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(gotoken.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && name == "reasons.go" {
				if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Reason" {
					declared[spec.Names[0].Name] = true
				}
			}
			if id, ok := n.(*ast.Ident); ok && name != "reasons.go" {
				used[id.Name]++
			}
			return true
		})
	}
	if len(declared) < 90 {
		t.Fatalf("only %d reasons found", len(declared))
	}
	for name := range declared {
		if used[name] == 0 {
			t.Errorf("%s is declared and nothing gives it", name)
		}
	}
}

// restCases give the reasons that no other collection is about.
var restCases = []struct {
	want    signing.Reason
	verdict signing.Verdict
	make    func(w *world) signing.File
	options func(o *signing.Options)
}{
	{want: signing.FileUnreadable, verdict: signing.Undetermined, make: func(*world) signing.File {
		return signing.File{Name: "hỏng", Content: brokenReader{}, Size: 9000}
	}},
	{want: signing.PDFLimits, verdict: signing.Undetermined, make: func(*world) signing.File {
		return inside(object(strings.Repeat("[", 99)))
	}},
	{want: signing.RevisionUnreadable, verdict: signing.Undetermined, make: func(w *world) signing.File {
		return inside(w.revise(w.one(), func(r *testpki.Revision) { r.Set(900, []byte(strings.Repeat("[", 99)+strings.Repeat("]", 99))) }))
	}},
	{want: signing.AdditionsCovered, verdict: signing.Valid, make: func(w *world) signing.File { return inside(w.seal(testpki.Stamp(w.one()))) }},
	{want: signing.AdditionsByPerson, verdict: signing.Undetermined, make: func(w *world) signing.File {
		return inside(w.signPDF(testpki.Stamp(w.one()), testpki.PDFSignature{}))
	}},
	{want: signing.FormFilled, verdict: signing.Valid, make: func(w *world) signing.File {
		return inside(w.revise(w.signPDF(w.revise(w.pdf(), withField), testpki.PDFSignature{DocMDP: 2}), fill))
	}},
	{want: signing.RevocationSoft, verdict: signing.Valid, make: (*world).simple, options: func(o *signing.Options) { o.Trust.CRLs, o.Revocation = nil, signing.Soft }},
	{want: signing.RevocationNotChecked, verdict: signing.Valid, make: (*world).simple, options: func(o *signing.Options) { o.Revocation = signing.Off }},
	{want: signing.PathTooLong, verdict: signing.Undetermined, make: func(w *world) signing.File {
		ca := w.Root
		for n := range 12 {
			next, err := w.IssueUnder(ca, testpki.Request{Name: fmt.Sprint("TEST CA ", n), Edit: func(c *x509.Certificate) {
				c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
			}})
			w.must(err)
			ca = next
		}
		id, err := w.IssueUnder(ca, testpki.Request{Name: "Dưới mười hai CA"})
		w.must(err)
		return detached(content, w.sign(testpki.CMS{Signers: []*testpki.Identity{id}}))
	}},
}

func (w *world) simple() signing.File { return detached(content, w.sign(testpki.CMS{})) }

type brokenReader struct{}

func (brokenReader) ReadAt([]byte, int64) (int, error) { return 0, errors.New("disk is gone") }

func TestRestOfTheReasons(t *testing.T) {
	t.Parallel()
	for _, c := range restCases {
		t.Run(string(c.want), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			o := w.options()
			if c.options != nil {
				c.options(&o)
			}
			if f := verify(c.make(w), o).Files[0]; !hasReason(f.Reasons, c.want) || f.Verdict != c.verdict {
				t.Errorf("%s %v", f.Verdict, f.Reasons)
			}
		})
	}
}
