package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/server/edxml"
	"github.com/truc-lienthong/truc/storage"
)

// concern sends a packet that concerns another one through the native face, which tells what became of it.
func (a *axis) concern(business edxml.Business, id string, to ...string) reply {
	a.t.Helper()
	packet := a.packetLike(func(d *edxml.Document) { d.Business = &business }, id, "a.txt", []byte("x"), to...)
	return a.post(formPart{`form-data; name="edxml"`, "", packet})
}

// TestOriginals: which document a packet recalls, updates or replaces, and who may get it (R25).
func TestOriginals(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	sent := func(id string, to ...string) any {
		return a.post(formPart{`form-data; name="edxml"`, "", a.packetOf(id, "a.txt", []byte(id), to...)}).want(t, 201).json["id"]
	}
	one, two := sent("O-1", "H26", "H01.151"), sent("O-2", "H26")
	warned := func(r reply) string {
		var codes []string
		for _, w := range r.json["warnings"].([]any) {
			w := w.(map[string]any)
			codes = append(codes, fmt.Sprint(w["code"], " ", w["field"]))
		}
		return strings.Join(codes, ", ")
	}
	replaces := func(ids ...string) edxml.Business {
		b := edxml.Business{Kind: edxml.KindReplace}
		for _, id := range ids {
			b.Replacements = append(b.Replacements, edxml.Replacement{DocumentID: id, OrganIDs: []string{"H26"}})
		}
		return b
	}
	for _, c := range []struct {
		name     string
		business edxml.Business
		id       string
		to       []string
		original any
		states   string
		warnings string
	}{
		{"a recall by its own id, where it has not been fetched", edxml.Business{Kind: edxml.KindRecall}, "O-1", []string{"H26"}, one, "[H26 recalled]", ""},
		{"a recall at somebody who never got it too", edxml.Business{Kind: edxml.KindRecall, DocumentID: "O-1"}, "R-1", []string{"H29.12", "000.00.00.H26"}, one, "[H26 recalled]", "not_recipient recipients[0]"},
		{"a recall of what went another way", edxml.Business{Kind: edxml.KindRecall, DocumentID: "before"}, "R-2", []string{"H26"}, nil, "[H26 pending]", "original_unknown original"},
		{"an update that names whom it adds", edxml.Business{Kind: edxml.KindUpdate, DocumentID: "O-2", Changes: []edxml.Change{{Receivers: true, List: []edxml.Receiver{{OrganID: "H01.151", Added: true}}}}},
			"U-1", []string{"H26", "H01.151"}, two, "[H26 pending H01.151 delivered]", ""},
		{"an update that adds without a word", edxml.Business{Kind: edxml.KindUpdate, DocumentID: "O-2"}, "U-2", []string{"H26", "H01"}, two, "[H26 pending H01 delivered]", "not_recipient recipients[1]"},
		{"an update's own id", edxml.Business{Kind: edxml.KindRecall, DocumentID: "U-1"}, "R-3", []string{"H01.151"}, two, "[H01.151 delivered]", ""},
		{"a replacement", replaces("O-2"), "N-1", []string{"H26"}, two, "[H26 pending]", ""},
		{"a replacement of several", replaces("before", "O-1", "O-2", "O-1"), "N-2", []string{"H26"}, one, "[H26 pending]", "original_unknown original, original_second original"},
		{"a replacement of nothing: its own id is a new document's", replaces(), "O-2", []string{"H26"}, nil, "[H26 pending]", "original_unknown original"},
		{"a replacement that says it as an update does", edxml.Business{Kind: edxml.KindReplace, DocumentID: "O-2"}, "N-3", []string{"H26"}, two, "[H26 pending]", ""},
	} {
		r := a.concern(c.business, c.id, c.to...).want(t, 201)
		if r.json["original"] != c.original || fmt.Sprint(states(r)) != c.states || warned(r) != c.warnings {
			t.Errorf("%s: of %v at %v, %q", c.name, r.json["original"], states(r), warned(r))
		}
	}
	a.untouched(t, func() {
		a.concern(edxml.Business{Kind: edxml.KindRecall}, "O-2", "H29.12").refused(t, 422, "not_original")
	})
}

// TestOriginalOfThePredecessor: who took over an agency may take its documents back; nobody else may.
func TestOriginalOfThePredecessor(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	original := a.submit("H29.12", letter("P-1", "H26"), signed(t)).want(t, 201).json["id"]
	_, err := a.Store.ImportAgencies(t.Context(), []routing.Agency{
		{Code: "H01.151", Name: "UBND xã Định Mỹ", Parent: "H01", Kind: "commune", Status: routing.Live},
		{Code: "H29.12", OldCode: "000.00.12.H29", Name: "Sở Y tế Thành phố Hồ Chí Minh", Parent: "H29", Kind: "department", Status: routing.Closed, ValidTo: testNow,
			Successors: []routing.Code{"H01.151"}, Decision: "TEST"}}, "test", a.clock())
	check(t, err)
	check(t, a.reload(t.Context()))
	for sender, want := range map[string]int{"H01.151": 201, "H01": 403} {
		recall := follow("recall", "P-1", "P-1", "H26")
		recall["sender"] = sender
		r := a.submit("box", recall)
		if r.StatusCode != want || want == 201 && (r.json["original"] != original || fmt.Sprint(states(r)) != "[H26 recalled]") {
			t.Errorf("%s: %d %s", sender, r.StatusCode, r.raw)
		}
	}
}

// TestPacketOfReplacement: a native replacement tells what it replaces in the words of edXML, and is read back so.
func TestPacketOfReplacement(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	a.submit("H29.12", letter("Q-1", "H26"), signed(t)).want(t, 201)
	id := a.submit("H29.12", follow("replace", "Q-2", "Q-1", "H26"), signed(t)).want(t, 201).json["id"].(string)
	packet := a.call("H26", "GET", "/api/v1/deliveries/"+id+".1/package", nil).want(t, 200)
	read, err := edxml.Read(strings.NewReader(string(packet.raw)), edxml.Reading{Now: a.clock()})
	check(t, err)
	business := read.Document.Business
	if len(read.Problems) > 0 || business.Kind != edxml.KindReplace || fmt.Sprint(business.Replacements) != "[{Q-1 [H26]}]" {
		t.Errorf("%v, %+v", read.Problems, business)
	}
	if m := fromPacket(&read); m.Original != "Q-1" || m.Kind != storage.Replace.String() {
		t.Errorf("read back: %+v", m)
	}
}
