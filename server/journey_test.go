package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestJourney follows one document all the way: submitted, pulled, pushed, in a mailbox, registered, returned, proven.
func TestJourney(t *testing.T) {
	t.Parallel()
	told := make(chan map[string]any, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var item map[string]any
		_ = json.NewDecoder(r.Body).Decode(&item)
		told <- item
		if item["kind"] == "dispatch" {
			_ = json.NewEncoder(w).Encode(map[string]any{"taken": item["package"].(map[string]any)["sha256"]})
		}
	}))
	defer hook.Close()
	a := newAxis(t, hook.URL)

	r := a.submit("H29.12", letter("H29.12-2026-000001", "H26", "000.00.00.G22", "H01.151"), signed(t)).want(t, 201)
	if r.json["verdict"] != "valid" {
		t.Fatalf("verdict: %s", r.raw)
	}
	id := r.json["id"].(string)

	inbox := a.call("H26", "GET", "/api/v1/inbox?wait=5s", nil).want(t, 200)
	items := inbox.json["items"].([]any)
	if len(items) != 1 {
		t.Fatalf("inbox: %s", inbox.raw)
	}
	item := items[0].(map[string]any)
	delivery := item["delivery"].(string)
	pack := a.call("H26", "GET", item["package"].(map[string]any)["url"].(string), nil).want(t, 200)
	if !strings.Contains(string(pack.raw), "H29.12-2026-000001") {
		t.Fatalf("package: %.500s", pack.raw)
	}
	sum := strings.Trim(pack.Header.Get("ETag"), `"`)
	if hexSum(pack.raw) != sum {
		t.Fatalf("the package's hash is not its ETag")
	}
	a.call("H26", "POST", "/api/v1/inbox/"+item["item"].(string)+"/taken", map[string]string{"sha256": strings.Repeat("0", 64)}).want(t, 409)
	for range 2 { // saying it twice is harmless
		a.call("H26", "POST", "/api/v1/inbox/"+item["item"].(string)+"/taken", map[string]string{"sha256": sum}).want(t, 200)
	}
	file := a.call("H26", "GET", "/api/v1/deliveries/"+delivery+"/attachments/1", nil).want(t, 200)
	if hexSum(file.raw) != hexSum(signed(t).content) {
		t.Fatal("the attachment is not what was sent")
	}
	part := a.call("H26", "GET", "/api/v1/deliveries/"+delivery+"/attachments/1", nil, "Range", "bytes=5-9").want(t, 206)
	if string(part.raw) != string(file.raw[5:10]) {
		t.Fatalf("range: %q", part.raw)
	}

	<-told // the government office's system
	said := map[string]any{"status": "01", "event_time": a.clock().Format(time.RFC3339)}
	a.call("H26", "POST", "/api/v1/deliveries/"+delivery+"/receipts", said).want(t, 201)
	a.call("H26", "POST", "/api/v1/deliveries/"+delivery+"/receipts", said).want(t, 200)
	a.call("H26", "POST", "/api/v1/deliveries/"+delivery+"/receipts", map[string]any{"status": "02"}).want(t, 422)
	a.call("H26", "POST", "/api/v1/deliveries/"+delivery+"/receipts",
		map[string]any{"status": "02", "reason": "Gửi nhầm đơn vị", "staff": map[string]string{"name": "Trần Thị Văn Thư"}}).want(t, 201)

	news := a.call("H29.12", "GET", "/api/v1/inbox", nil).want(t, 200).json["items"].([]any)
	if len(news) != 2 {
		t.Fatalf("the sender should hear of 01 and 02: %v", news)
	}
	a.eventually(t, func() bool {
		got := a.call("H29.12", "GET", "/api/v1/dispatches/"+id, nil).want(t, 200)
		states := map[string]int{}
		for _, d := range got.json["deliveries"].([]any) {
			states[d.(map[string]any)["state"].(string)]++
		}
		return states["delivered"] == 3
	})
	proof := a.call("H29.12", "GET", "/api/v1/dispatches/"+id+"/proof", nil).want(t, 200)
	if len(proof.raw) < 500 {
		t.Fatalf("proof: %d bytes", len(proof.raw))
	}
	a.call("H26", "GET", "/api/v1/dispatches/"+id+"/proof", nil).want(t, 404)
	a.submit("H29.12", letter("H29.12-2026-000001", "H26", "000.00.00.G22", "H01.151"), signed(t)).want(t, 200)
	a.submit("H29.12", letter("H29.12-2026-000001", "H26"), file2(t)).want(t, 409)
}

func file2(t *testing.T) file {
	f := signed(t)
	return file{"khac.txt", "text/plain", append([]byte("khác"), f.content[:10]...)}
}
