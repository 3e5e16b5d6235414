package main

import (
	"testing"
	"time"

	"github.com/truc-lienthong/truc/cmd/agency/toy"
)

// checkStrays lets Hà Nội's hub speak of documents that the axis has never seen: they are listed, and closed once.
func checkStrays(t *testing.T, state, address string) {
	t.Helper()
	wants(t, state, exitYes, "document", "stray", "list")
	if got, _ := must(t, state, "stray", "list", "--json")["strays"].([]any); len(got) != 0 {
		t.Errorf("strays of nobody: %v", got)
	}
	v := toy.NewVXP("http://"+address+"/vxp", "H26", "secret-pull")
	t.Cleanup(v.Close)
	var ids []string
	for _, document := range []string{"H29.12-2014-1", "H29.12-2014-2"} {
		packet := toy.StatusXML(toy.Received{Agency: "H26", Sender: "000.00.12.H29", DocumentID: document}, toy.Receipt{Status: "02", Reason: "Gửi nhầm đơn vị", EventTime: time.Now()})
		id, err := v.SendEdoc(t.Context(), toy.Edoc{From: "H26", Queue: toy.StatusQueue, Bytes: packet})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	first := must(t, state, "stray", "list", "--json", "--limit", "1")
	lines, _ := first["strays"].([]any)
	if len(lines) != 1 || first["next"] != ids[1] {
		t.Fatalf("the first page: %v", first)
	}
	line := lines[0].(map[string]any)
	for name, want := range map[string]any{"id": ids[1], "system": "H26", "agency": "H26", "other": "000.00.12.H29", "document_id": "H29.12-2014-2", "status": "02",
		"label": "Từ chối tiếp nhận", "reason": "Gửi nhầm đơn vị", "cause": "no_document", "closed_by": nil} {
		if line[name] != want {
			t.Errorf("%s is %v, want %v", name, line[name], want)
		}
	}
	wants(t, state, exitYes, "H29.12-2014-1", "stray", "list", "--before", ids[1])
	if got := must(t, state, "stray", "close", ids[0], "--json"); got["id"] != ids[0] || got["closed_by"] == "" {
		t.Errorf("close: %v", got)
	}
	wants(t, state, exitNo, ids[0], "stray", "close", ids[0]) // it changed nothing
	wants(t, state, exitUnusable, "no id", "stray", "close", "x")
	wants(t, state, exitUnusable, "no id", "stray", "list", "--before", "x")
	if open, _ := must(t, state, "stray", "list", "--json")["strays"].([]any); len(open) != 1 {
		t.Errorf("open: %v", open)
	}
	if all, _ := must(t, state, "stray", "list", "--all", "--json")["strays"].([]any); len(all) != 2 || all[1].(map[string]any)["closed_by"] == nil {
		t.Errorf("all: %v", all)
	}
}
