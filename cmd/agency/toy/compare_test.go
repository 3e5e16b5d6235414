package toy

import "testing"

func TestCompare(t *testing.T) {
	t.Parallel()
	file := func(s string) []Digest { return []Digest{{SHA256: s, Size: 1}} }
	sent := func(dispatch, doc string, to ...string) Sent {
		return Sent{Dispatch: dispatch, DocumentID: doc, Sender: "S", State: Accepted, Kind: KindNew, Recipients: to, Files: file("h" + doc)}
	}
	got := func(dispatch, n, doc, to string) Received {
		id := dispatch + "." + n
		return Received{Delivery: id, FilesFrom: id, Dispatch: dispatch, DocumentID: doc, Sender: "S", Kind: KindNew, Agency: to, AddressedTo: to, Files: file("h" + doc)}
	}
	with := func(r Received, change func(*Received)) Received { change(&r); return r }
	recall := func(s Sent) Sent { s.Kind = KindRecall; return s }
	type counts struct{ expected, arrived, excepted, shared, lost, wrong, doubled, stray, unknown int }
	for name, k := range map[string]struct {
		sent     []Sent
		received []Received
		except   []Exception
		want     counts
		ok       bool
	}{
		"all there": {[]Sent{sent("d1", "1", "A", "B")}, []Received{got("d1", "1", "1", "A"), got("d1", "2", "1", "B")}, nil, counts{expected: 2, arrived: 2}, true},
		"one lost":  {[]Sent{sent("d1", "1", "A", "B")}, []Received{got("d1", "1", "1", "A")}, nil, counts{expected: 2, arrived: 1, lost: 1}, false},
		"excepted": {[]Sent{sent("d1", "1", "A", "B")}, []Received{got("d1", "1", "1", "A")},
			[]Exception{{Sender: "S", DocumentID: "1", Recipient: "B", Why: "held"}}, counts{expected: 1, arrived: 1, excepted: 1}, true},
		"another's exception": {[]Sent{sent("d1", "1", "A")}, nil, []Exception{{Sender: "T", DocumentID: "1"}}, counts{expected: 1, lost: 1}, false},
		"excepted and damaged": {[]Sent{sent("d1", "1", "A")}, []Received{with(got("d1", "1", "1", "A"), func(r *Received) { r.Files = file("x") })},
			[]Exception{{DocumentID: "1"}}, counts{excepted: 1, wrong: 1}, false},
		"wrong hash": {[]Sent{sent("d1", "1", "A")}, []Received{with(got("d1", "1", "1", "A"), func(r *Received) { r.Files = file("x") })}, nil,
			counts{expected: 1, arrived: 1, wrong: 1}, false},
		"a file short": {[]Sent{sent("d1", "1", "A")}, []Received{with(got("d1", "1", "1", "A"), func(r *Received) { r.Files = nil })}, nil,
			counts{expected: 1, arrived: 1, wrong: 1}, false},
		"as another document": {[]Sent{sent("d1", "1", "A")}, []Received{with(got("d1", "1", "1", "A"), func(r *Received) { r.DocumentID = "2" })}, nil,
			counts{expected: 1, arrived: 1, wrong: 1}, false},
		"two deliveries": {[]Sent{sent("d1", "1", "A")}, []Received{got("d1", "1", "1", "A"), got("d1", "2", "1", "A")}, nil,
			counts{expected: 1, arrived: 1, doubled: 1}, false},
		"two dispatches": {[]Sent{sent("d1", "1", "A")}, []Received{got("d1", "1", "1", "A"), got("d2", "1", "1", "A")}, nil,
			counts{expected: 1, arrived: 1, doubled: 1}, false},
		"log read twice": {[]Sent{sent("d1", "1", "A")}, []Received{got("d1", "1", "1", "A"), got("d1", "1", "1", "A")}, nil,
			counts{expected: 1, arrived: 1}, true},
		"a recall repeats the id": {[]Sent{sent("d1", "1", "A"), recall(sent("d2", "1", "A"))},
			[]Received{got("d1", "1", "1", "A"), with(got("d2", "1", "1", "A"), func(r *Received) { r.Kind = KindRecall })}, nil, counts{expected: 2, arrived: 2}, true},
		"more recipients later": {[]Sent{sent("d1", "1", "A"), sent("d1", "1", "A", "B")}, []Received{got("d1", "1", "1", "A"), got("d1", "2", "1", "B")}, nil,
			counts{expected: 2, arrived: 2}, true},
		"moved in between": {[]Sent{sent("d1", "1", "A")}, []Received{with(got("d1", "1", "1", "A"), func(r *Received) { r.Agency = "C" })}, nil,
			counts{expected: 1, arrived: 1}, true},
		"merged": {[]Sent{sent("d1", "1", "A", "B")}, []Received{got("d1", "1", "1", "A"), with(got("d1", "2", "1", "B"), func(r *Received) { r.Agency = "A" })}, nil,
			counts{expected: 2, arrived: 2}, true},
		"addressed in another form": {[]Sent{sent("d1", "1", "A")}, []Received{with(got("d1", "1", "1", "A"), func(r *Received) { r.AddressedTo = "000.A" })}, nil,
			counts{expected: 1, arrived: 1}, true},
		"shared": {[]Sent{sent("d1", "1", "A", "B")}, []Received{got("d1", "1", "1", "A"), with(got("d1", "2", "1", "B"), func(r *Received) { r.FilesFrom = "d1.1" })}, nil,
			counts{expected: 2, arrived: 2, shared: 1}, true},
		"at a stranger": {[]Sent{sent("d1", "1", "A")}, []Received{got("d1", "1", "1", "A"), got("d1", "2", "1", "Z")}, nil,
			counts{expected: 1, arrived: 1, stray: 1}, false},
		"refused but there": {[]Sent{{DocumentID: "1", Sender: "S", Refused: &Problem{Status: 422}}}, []Received{got("d1", "1", "1", "A")}, nil, counts{stray: 1}, false},
		"refused, then sent": {[]Sent{{DocumentID: "1", Sender: "S", Refused: &Problem{Status: 422}}, sent("d1", "1", "A")}, []Received{got("d1", "1", "1", "A")}, nil,
			counts{expected: 1, arrived: 1}, true},
		"its sender died": {nil, []Received{got("d1", "1", "1", "A")}, nil, counts{unknown: 1}, true},
		"nothing at all":  {nil, nil, nil, counts{}, true},
	} {
		r := Compare(k.sent, k.received, k.except...)
		have := counts{r.Expected, r.Arrived, r.Excepted, r.Shared, len(r.Lost), len(r.WrongHash), len(r.Doubled), len(r.Stray), len(r.Unknown)}
		if have != k.want || r.OK() != k.ok {
			t.Errorf("%s: %v, ok %v", name, r, r.OK())
		}
	}
}

func TestWhatWasHeldIsExcepted(t *testing.T) {
	t.Parallel()
	sent := []Sent{{DocumentID: "1", State: HeldBack, Dispatch: "d1", Recipients: []string{"A", "B"}}, {DocumentID: "2", State: Accepted, Dispatch: "d2", Recipients: []string{"A"}}}
	if r := Compare(sent, nil, HeldOnes(sent)...); r.Excepted != 2 || len(r.Lost) != 1 {
		t.Errorf("%v", r)
	}
}
