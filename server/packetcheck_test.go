package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/server/edxml"
)

// checked asks for a packet's check; nothing may be kept of it.
func (a *axis) checked(t testing.TB, query string, packet io.Reader) edxml.Check {
	t.Helper()
	before := a.kept(t)
	r := a.call("H29.12", "POST", "/api/v1/packets/check"+query, packet, "Content-Type", "application/xml").want(t, 200)
	if after := a.kept(t); after != before {
		t.Errorf("checked, and kept:\n%s\nbefore:\n%s", after, before)
	}
	var c edxml.Check
	check(t, json.Unmarshal(r.raw, &c))
	if c.OK != (len(c.Errors) == 0) || c.Errors == nil || c.Warnings == nil {
		t.Errorf("%s", r.raw)
	}
	return c
}

// TestPacketCheckGolden: every golden packet gets its kind, and the very answer that its reading gives.
func TestPacketCheckGolden(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	files, err := filepath.Glob("edxml/testdata/*.edxml")
	check(t, err)
	kinds := map[edxml.Kind]int{}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		check(t, err)
		p, err := edxml.Read(bytes.NewReader(raw), edxml.Reading{Now: testNow})
		check(t, err)
		got, want := a.checked(t, "", bytes.NewReader(raw)), p.Check()
		kinds[got.Kind]++
		if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); got.Kind != want.Kind || len(got.Errors) != len(want.Errors) || len(got.Warnings) != len(want.Warnings) {
			t.Errorf("%s: %s\nwant %s", name, g, w)
		}
		if unknown := strings.Contains(name, "unknown"); got.OK == unknown {
			t.Errorf("%s: ok %v: %+v", name, got.OK, got.Errors)
		}
	}
	for _, k := range []edxml.Kind{edxml.KindNew, edxml.KindRecall, edxml.KindUpdate, edxml.KindReplace, edxml.KindStatus} {
		if kinds[k] == 0 {
			t.Errorf("no golden packet is %s", k)
		}
	}
}

// TestPacketCheckBounds: a body beyond the limit, files that unpack beyond it, a body that stops: refused, and nothing kept.
func TestPacketCheckBounds(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "", func(_ *axis, c *Config) { c.Limits.Dispatch, c.Limits.File, c.Limits.Packet = 1<<20, 1<<20, 32<<20 })
	whole := packet(t, func(*edxml.Document) {}, file{"a.txt", "text/plain", []byte("x")})
	post := func(body io.Reader) reply {
		return a.call("H29.12", "POST", "/api/v1/packets/check", body)
	}
	before := a.kept(t)
	post(io.MultiReader(strings.NewReader(strings.Replace(whole, "</edXML>", "", 1)), io.LimitReader(spaces{}, 64<<20))).refused(t, 413, "body_large")
	zeros := file{"a.csv", "text/csv", make([]byte, 700<<10)} // 700 kB that fit into one each
	post(strings.NewReader(packet(t, func(*edxml.Document) {}, zeros, zeros))).refused(t, 413, "body_large")
	if after := a.kept(t); after != before {
		t.Errorf("refused, but kept:\n%s\nbefore:\n%s", after, before)
	}
	if c := a.checked(t, "", strings.NewReader(whole[:len(whole)/2])); c.OK || c.Errors[len(c.Errors)-1].EN != "The file ends in the middle." {
		t.Errorf("cut in half: %+v", c)
	}
	if c := a.checked(t, "", strings.NewReader("")); c.OK || c.Kind != edxml.KindNew || len(c.Errors) != 1 {
		t.Errorf("empty: %+v", c)
	}
}

// spaces gives blanks without end.
type spaces struct{}

func (spaces) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

// TestPacketCheckStreams: a packet of 100 MB goes by; neither heap nor folder has it afterwards (its memory is edxml's own test).
func TestPacketCheckStreams(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("100 MB")
	}
	a := newAxis(t, "")
	head, tail, ok := strings.Cut(packet(t, func(*edxml.Document) {}, file{"a.pdf", "application/pdf", []byte("%PDF-1.4")}), "JVBERi0xLjQ=")
	if !ok {
		t.Fatal("the packet has no content")
	}
	line := strings.Repeat("JVBERi0x", 9) + "\r\n"
	body := io.MultiReader(strings.NewReader(head), io.LimitReader(&looped{text: line}, int64(100<<20/len(line)*len(line))), strings.NewReader("JVBERi0xLjQ="+tail))
	if c := a.checked(t, "?directory=true", body); !c.OK || len(c.Warnings) > 0 {
		t.Errorf("%+v", c)
	}
}

// looped gives a text again and again.
type looped struct {
	text string
	at   int
}

func (l *looped) Read(b []byte) (int, error) {
	n := copy(b, l.text[l.at:])
	l.at = (l.at + n) % len(l.text)
	return n, nil
}

// TestCheckCodes: what a directory says of each party, in its place; fifty thousand wrong codes take no longer than a hundred.
func TestCheckCodes(t *testing.T) {
	t.Parallel()
	d := routing.NewDirectory(1, append([]routing.Agency{
		{Code: "H77.01", OldCode: "000.00.01.H77", Name: "Một", Status: routing.Live}, {Code: "H77.02", OldCode: "000.00.01.H77", Name: "Hai", Status: routing.Live},
	}, testAgencies...), nil)
	read := func(from string, to ...string) edxml.Packet {
		p, err := edxml.Read(strings.NewReader(packet(t, func(doc *edxml.Document) {
			doc.From.ID, doc.To = from, nil
			for _, code := range to {
				doc.To = append(doc.To, edxml.Organization{ID: code})
			}
		})), edxml.Reading{})
		check(t, err)
		return p
	}
	found := func(p edxml.Packet) string {
		var list []string
		for _, q := range CheckCodes(d, p) {
			list = append(list, fmt.Sprintf("%s:%s:%v", strings.TrimPrefix(q.Path, "/edXML/edXMLEnvelope/edXMLHeader/MessageHeader/"), q.Kind, q.Warning))
		}
		return strings.Join(list, " ")
	}
	for _, c := range []struct {
		name string
		p    edxml.Packet
		want string
	}{
		{"all known, in either form", read("000.00.12.H29", "H26", "h01.151", "000.00.00.G22"), ""},
		{"sender unknown", read("H98", "H26"), "From/OrganId:unknown_code:false"},
		{"sender closed, recipient locked", read("H54", "H02"), "From/OrganId:unknown_code:false To[1]/OrganId:unknown_code:false"},
		{"old form of several", read("H29.12", "000.00.01.H77"), "To[1]/OrganId:unknown_code:false"},
		{"no code at all", read("H29.12", "Sở Y tế"), "To[1]/OrganId:unknown_code:false"},
		{"two forms", read("H29.12", "H26", "G22", "000.00.00.H26", "000.00.00.h26"), "To[3]:malformed:true"}, // the fourth repeats the third's writing
		{"the same writing", read("H29.12", "H26", "h26"), ""},
		{"the reader found no party", edxml.Packet{}, ""},
	} {
		if got := found(c.p); got != c.want {
			t.Errorf("%s: found %q, want %q", c.name, got, c.want)
		}
	}
	for _, q := range CheckCodes(d, read("H29.12", "H54")) {
		if q.Fix != "Thay bằng mã H31 / Use the code H31" || !strings.Contains(q.EN, "H31") {
			t.Errorf("a closed code: %+v", q)
		}
	}
	many := make([]string, 30_000)
	for i := range many {
		many[i] = fmt.Sprintf("X%05d", i)
	}
	if got := CheckCodes(d, read("H29.12", many...)); len(got) != maxFaults {
		t.Errorf("%d wrong codes are named, want %d", len(got), maxFaults)
	}
}

// FuzzPacketCheck sends a body through the handler: an answer of the promised form, not much longer than the body, and nothing kept.
func FuzzPacketCheck(f *testing.F) {
	a := newAxis(f, "", small, func(_ *axis, c *Config) { c.Limits.Rate = 1 << 30 })
	packets, err := filepath.Glob("edxml/testdata/*.edxml")
	check(f, err)
	for _, name := range packets {
		raw, err := os.ReadFile(name)
		check(f, err)
		f.Add(raw)
	}
	for _, seed := range []string{"", "x", "<edXML/>", "\xef\xbb\xbf<?xml version='1.0'?><edXML><edXMLEnvelope/></edXML>", "<a>" + strings.Repeat("<To/>", 100)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a.quietly(t, body, "POST", "/api/v1/packets/check?directory=1", "H29.12", "application/xml")
	})
}
