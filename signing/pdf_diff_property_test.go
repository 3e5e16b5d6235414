package signing_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

var (
	reference = regexp.MustCompile(`(\d+) 0 R`)
	keyword   = regexp.MustCompile(`/[A-Za-z]+`)
	digit     = regexp.MustCompile(`[0-9]+`)
	spaces    = regexp.MustCompile(`\s+`)
	quietText = regexp.MustCompile(`/(Metadata|PieceInfo|Thumb) \d+ 0 R`) // what a page has for programs only
)

// rich is a document with something of everything that content leans on, signed by the leader.
func rich(w *world) []byte {
	return w.signPDF(w.revise(w.pdf(), func(r *revision) {
		n := testpki.Ref(r.Object(r.Page()), "/Resources")
		r.Set(n, regexp.MustCompile(`/ProcSet \[[^]]*\]`).ReplaceAll(r.Object(n), nil)) // of no effect
		group := r.Add("<</Type /OCG /Name (Lop)>>")
		r.Insert(r.Root(), "/OCProperties <</OCGs [%d 0 R] /D <</ON [%d 0 R] /OFF []>>>>", group, group)
		resource("Properties", "MC0", fmt.Sprintf("%d 0 R", group))(r)
		resource("ExtGState", "GS0", fmt.Sprintf("%d 0 R", r.Add("<</CA 1 /ca 1>>")))(r)
		resource("XObject", "Im0", fmt.Sprintf("%d 0 R", look(r, "0 0 140 15 re f")))(r)
		setContents(r, contents(r), r.Stream("", "q /GS0 gs /OC /MC0 BDC 1 0 0 1 60 60 cm /Im0 Do EMC Q"))
		r.Annotate(fmt.Sprintf("/Subtype /Stamp /Rect [60 200 200 215] /F 4 /AP <</N %d 0 R>>", look(r, "0 0 140 15 re f")))
		textField(r, "so", fmt.Sprintf("/V (1) /AP <</N %d 0 R>>", look(r, "0 0 70 15 re f")))
		r.Insert(r.Root(), "/Metadata %d 0 R", r.Stream("/Type /Metadata /Subtype /XML", "<a/>"))
	}), testpki.PDFSignature{})
}

// mangle changes the document at random by one incremental update.
func mangle(t *rapid.T, r *revision) {
	var all []int
	for n := 1; n < 60; n++ {
		if b := r.Object(n); b != nil && !bytes.Contains(b, []byte("/ByteRange")) {
			all = append(all, n)
		}
	}
	pick := func(what string) int { return rapid.SampledFrom(all).Draw(t, what) }
	for range rapid.IntRange(1, 3).Draw(t, "changes") {
		n, other := pick("object"), pick("other")
		body := r.Object(n)
		at := func(re *regexp.Regexp, with string) {
			if m := re.FindAllIndex(body[:min(len(body), 4000)], -1); m != nil {
				k := rapid.SampledFrom(m).Draw(t, "at")
				r.Set(n, slices.Concat(body[:k[0]], []byte(with), body[k[1]:]))
			}
		}
		insert := func(n int, format string, args ...any) {
			if bytes.Contains(r.Object(n), []byte(">>")) {
				r.Insert(n, format, args...)
			}
		}
		switch rapid.IntRange(0, 8).Draw(t, "kind") {
		case 0:
			at(reference, fmt.Sprintf("%d 0 R", other))
		case 1:
			r.Set(n, r.Object(other))
		case 2:
			at(digit, fmt.Sprint(rapid.IntRange(0, 99).Draw(t, "number")))
		case 3:
			at(keyword, "/X")
		case 4:
			r.Set(n, []byte(stream("", "1 1 1 rg 0 0 595 842 re f")))
		case 5:
			key := rapid.SampledFrom([]string{"Metadata", "PieceInfo", "Dests", "Extensions", "ViewerPreferences", "PageLabels", "MarkInfo"}).Draw(t, "key")
			insert(r.Root(), "/%s %d 0 R", key, n)
		case 6:
			insert(r.Root(), "/DSS <</Certs [%d 0 R] /VRI <</A %d 0 R>>>>", n, other)
		case 7:
			key := rapid.SampledFrom([]string{"Group", "Metadata", "PieceInfo", "Thumb", "Contents", "Annots", "Resources"}).Draw(t, "key")
			insert(r.Page(), "/%s %d 0 R", key, n)
		case 8:
			r.Replace(n, "[", fmt.Sprintf("[%d 0 R ", other))
		}
	}
}

// pageText is all that page 1 is made of, as text.
func pageText(w *world, pdf []byte) string {
	r, err := testpki.Revise(pdf)
	w.must(err)
	var out bytes.Buffer
	seen := map[int]bool{}
	queue := []int{r.Page()}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		if seen[n] {
			continue
		}
		seen[n] = true
		body := quietText.ReplaceAll(spaces.ReplaceAll(r.Object(n), []byte(" ")), nil)
		body = bytes.ReplaceAll(spaces.ReplaceAll(body, []byte(" ")), []byte(" >>"), []byte(">>"))
		out.Write(reference.ReplaceAllFunc(body, func(m []byte) []byte {
			to := firstNumber(m, "")
			leaf := r.Object(to)
			if reference.Match(leaf) {
				queue = append(queue, to)
				return m
			}
			return leaf // whatever its number
		}))
	}
	return out.String()
}

// No update, however made, passes unnoticed when what the page is made of is not what was signed. An agency's signature on
// top changes nothing in that.
func TestPDFRandomUpdates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	base, o := rich(w), w.options()
	before := pageText(w, base)
	rapid.Check(t, func(t *rapid.T) {
		r, err := testpki.Revise(base)
		w.must(err)
		mangle(t, r)
		pdf := r.Bytes()
		after := pageText(w, pdf)
		s := verify(inside(pdf), o).Files[0].Signatures
		if len(s) == 0 || s[0].Verdict != signing.Valid || s[0].After == signing.AfterAllowed || s[0].After == signing.AfterAdditions {
			return
		}
		if after != before {
			t.Fatalf("unnoticed: %s", pdf[len(base):])
		}
	})
}

// The same with poppler as the judge of what is seen, when TRUC_RENDER is set: slow.
func TestPDFRandomUpdatesRendered(t *testing.T) {
	if os.Getenv("TRUC_RENDER") == "" {
		t.Skip("set TRUC_RENDER to draw pages with pdftoppm")
	}
	w := newWorld(t)
	base, o := rich(w), w.options()
	dir := t.TempDir()
	draw := func(pdf []byte) string {
		path := filepath.Join(dir, "a.pdf")
		w.must(os.WriteFile(path, pdf, 0o600))
		out, _ := exec.Command("pdftoppm", "-r", "20", path).Output()
		return string(out)
	}
	before := draw(base)
	rapid.Check(t, func(t *rapid.T) {
		r, err := testpki.Revise(base)
		w.must(err)
		mangle(t, r)
		pdf := r.Bytes()
		s := verify(inside(pdf), o).Files[0].Signatures
		if len(s) == 0 || s[0].Verdict != signing.Valid || s[0].After == signing.AfterAllowed || s[0].After == signing.AfterAdditions {
			return
		}
		if draw(pdf) != before {
			t.Fatalf("unnoticed: %s", pdf[len(base):])
		}
	})
}
