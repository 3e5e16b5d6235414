package server

import (
	"errors"
	"testing"

	"github.com/truc-lienthong/truc/storage"
	"github.com/truc-lienthong/truc/storage/storagetest"
)

// TestStoreOutage: a full disk and an object store that is away, before it stored anything and after, are answered with
// 503 and Retry-After; the same sent again is accepted, without a restart, and nothing is left of the failed tries but
// uploads that no row names.
func TestStoreOutage(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(*storagetest.FaultyObjects){
		"full disk":                func(o *storagetest.FaultyObjects) { o.FailBefore(storagetest.Put, 1, storage.ErrFull) },
		"store away":               func(o *storagetest.FaultyObjects) { o.FailBefore(storagetest.Put, 1, errors.New("connection refused")) },
		"stored, then answer lost": func(o *storagetest.FaultyObjects) { o.FailAfter(storagetest.Put, 1, errors.New("connection reset")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAxis(t, "")
			fault(a.objects)
			r := a.submit("H29.12", letter("H29.12-2026-000001", "H26"), signed(t)).want(t, 503)
			if r.Header.Get("Retry-After") == "" || r.json["code"] != "unavailable" {
				t.Errorf("no Retry-After: %v %s", r.Header, r.raw)
			}
			a.submit("H29.12", letter("H29.12-2026-000001", "H26"), signed(t)).want(t, 201)
		})
	}
}

// TestReadOutage: a package or a file that cannot be read now is 503, never "not found" and never half a file.
func TestReadOutage(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	id := a.submit("H29.12", letter("H29.12-2026-000002", "H26"), signed(t)).want(t, 201).json["id"].(string)
	for _, path := range []string{"/package", "/attachments/1"} {
		a.objects.FailBefore(storagetest.Open, 1, errors.New("connection refused"))
		a.call("H26", "GET", "/api/v1/deliveries/"+id+".1"+path, nil).want(t, 503)
		a.call("H26", "GET", "/api/v1/deliveries/"+id+".1"+path, nil).want(t, 200)
	}
}
