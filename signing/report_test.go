package signing_test

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

func TestEveryReasonHasClauseAndSentences(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("reasons.go")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[signing.Reason]signing.ReasonText{}
	for _, r := range signing.Reasons() {
		if _, again := texts[r.Word]; again {
			t.Errorf("%s stands twice", r.Word)
		}
		if r.Clause == "" || r.VI == "" || r.EN == "" || !strings.HasSuffix(r.VI, ".") || !strings.HasSuffix(r.EN, ".") {
			t.Errorf("%s lacks a clause or a sentence: %+v", r.Word, r)
		}
		texts[r.Word] = r
	}
	for _, m := range regexp.MustCompile(`Reason = "([a-z0-9_]+)"`).FindAllStringSubmatch(string(source), -1) {
		if _, ok := texts[signing.Reason(m[1])]; !ok {
			t.Errorf("%s has no text", m[1])
		}
	}
}

func TestReportJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	report := verify(inside(w.seal(w.one())), w.options())
	b, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Verdict string
		Files   []struct {
			Name, SHA256, Verdict string
			Signatures            []map[string]any
		}
		Signatures []map[string]any
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if got.Verdict != "valid" || len(got.Files) != 1 || len(got.Files[0].Signatures) != 2 || len(got.Signatures) != 2 {
		t.Fatalf("shape: %s", b)
	}
	first := got.Signatures[0]
	for key, want := range map[string]any{"file": "tệp", "verdict": "valid", "covers": "revision", "after": "signatures",
		"signer": "Nguyễn Văn Thử (TEST)", "time_source": "reception", "agency_code": "H29.1", "family": "công vụ", "page": 1.0} {
		if first[key] != want {
			t.Errorf("%s: %v, want %v", key, first[key], want)
		}
	}
	if got.Signatures[1]["covers"] != "whole" || got.Signatures[1]["after"] != "nothing" {
		t.Errorf("second: %v", got.Signatures[1])
	}
	if _, ok := first["reasons"].([]any); !ok {
		t.Errorf("reasons are no list: %v", first["reasons"])
	}
}

// Broken is what intake refuses at once, and nothing else.
func TestBroken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make   func(*world) []byte
		broken bool
	}{
		"good":      {(*world).one, false},
		"unsigned":  {(*world).pdf, false},
		"altered":   {func(w *world) []byte { return testpki.ChangeSigned(w.one()) }, true},
		"changed":   {func(w *world) []byte { return testpki.ChangeAfterSigning(w.one()) }, true},
		"byterange": {dict(`/ByteRange \[[^\]]*\]`, "/ByteRange [0 0 0 0]"), true},
		"expired": {func(w *world) []byte {
			return w.signPDF(w.pdf(), testpki.PDFSignature{Signer: w.issue(testpki.Request{Name: "x", From: now.AddDate(-2, 0, 0), Until: now.AddDate(-1, 0, 0)})})
		}, false},
		"weak": {func(w *world) []byte {
			return w.signPDF(w.pdf(), testpki.PDFSignature{CMS: &testpki.CMS{Digest: crypto.SHA1}})
		}, false},
		"stamped": {func(w *world) []byte { return testpki.Stamp(w.one()) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			f := verify(inside(c.make(w)), w.options()).Files[0]
			if why, got := f.Broken(); got != c.broken {
				t.Errorf("broken: %v (%s), want %v; reasons %v", got, why, c.broken, f.Reasons)
			}
		})
	}
}

// A detached signature is judged from digests alone, as they are taken while an upload streams past.
func TestDigestsAreEnough(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	signature := w.sign(testpki.CMS{})
	sum := sha256.Sum256(content)
	ok := signing.File{Name: "a", Signature: signature, Digests: map[crypto.Hash][]byte{crypto.SHA256: sum[:]}}
	if r := verify(ok, w.options()); r.Verdict != signing.Valid || r.Files[0].SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("%+v", r.Files[0])
	}
	sum[3] ^= 1
	if r := verify(ok, w.options()); r.Verdict != signing.Invalid || !hasReason(r.Files[0].Reasons, signing.DigestMismatch) {
		t.Errorf("wrong digest: %+v", r.Files[0].Reasons)
	}
	ok.Digests = nil
	if r := verify(ok, w.options()); r.Verdict != signing.Undetermined || !hasReason(r.Files[0].Reasons, signing.ExternalContentUnknown) {
		t.Errorf("no digest: %+v", r.Files[0].Reasons)
	}
}

func TestOtherKinds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		content string
		verdict signing.Verdict
	}{
		"text":        {"Không có gì", signing.Unsigned},
		"empty":       {"", signing.Unsigned},
		"xml":         {"<?xml version=\"1.0\"?><a/>", signing.Unsigned},
		"xades":       {"\xEF\xBB\xBF<a><ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/></a>", signing.Undetermined},
		"docx":        {"PK\x03\x04 word/document.xml", signing.Unsigned},
		"docx_signed": {"PK\x03\x04 word/document.xml _xmlsignatures/sig1.xml", signing.Undetermined},
	} {
		if r := verify(inside([]byte(c.content)), w.options()); r.Verdict != c.verdict {
			t.Errorf("%s: %s %v, want %s", name, r.Verdict, r.Files[0].Reasons, c.verdict)
		}
	}
}

// The proof of the axis is signed with a self-signed certificate that is itself the anchor.
func TestLeafThatIsItsOwnAnchor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	axis := &testpki.Identity{Name: "trục", Certificate: w.Root.Certificate, Key: w.Root.Key}
	b := w.sign(testpki.CMS{Signers: []*testpki.Identity{axis}, Attached: true})
	r := verify(inside(b), signing.Options{At: now, Trust: &signing.Trust{Anchors: []signing.Anchor{{Certificate: w.Root.Certificate, Family: signing.FamilyAxis}}}})
	if r.Verdict != signing.Valid {
		t.Errorf("%s %v", r.Verdict, r.Files[0].Reasons)
	}
}

func TestSignersAreJudgedApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.issue(testpki.Request{Name: "Hết hạn", From: now.AddDate(-2, 0, 0), Until: now.AddDate(-1, 0, 0)})
	r := verify(detached(content, w.sign(testpki.CMS{Signers: []*testpki.Identity{old, w.agency}})), w.options())
	verdicts := map[signing.Verdict]int{}
	for _, s := range r.Signatures {
		verdicts[s.Verdict]++
	}
	if len(r.Signatures) != 2 || verdicts[signing.Valid] != 1 || verdicts[signing.Invalid] != 1 || r.Verdict != signing.Invalid {
		t.Errorf("%s %v", r.Verdict, verdicts)
	}
}

func TestTimeOfTimestampIsReported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := verify(inside(w.signPDF(w.pdf(), testpki.PDFSignature{TSA: w.PKI})), w.options())
	s := r.Signatures[0]
	if s.TimeSource != signing.TimeFromTimestamp || !s.Time.Equal(now) || !strings.Contains(s.Authority, "TEST TSA") || hasReason(s.Reasons, signing.NoTimestamp) {
		t.Errorf("%+v", s)
	}
	o := w.options()
	o.Trust.TSAAnchors = nil
	s = verify(inside(w.signPDF(w.pdf(), testpki.PDFSignature{TSA: w.PKI})), o).Signatures[0]
	if s.TimeSource != signing.TimeFromReception || !hasReason(s.Reasons, signing.TimestampUntrusted) || s.Verdict != signing.Valid {
		t.Errorf("no TSA anchor: %+v", s)
	}
	if !s.Claimed.Equal(now) {
		t.Errorf("claimed time %v", s.Claimed)
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := signing.Verify(ctx, []signing.File{inside(w.one())}, w.options())
	if r.Verdict != signing.Undetermined || !hasReason(r.Files[0].Reasons, signing.Interrupted) {
		t.Errorf("%s %v", r.Verdict, r.Files[0].Reasons)
	}
}

func TestTestAnchorIsMarked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.options()
	o.Trust.Anchors[0].Test = true
	s := verify(inside(w.one()), o).Signatures[0]
	if !s.Test || !hasReason(s.Reasons, signing.TestAnchor) || s.Verdict != signing.Valid {
		t.Errorf("%+v", s)
	}
}
