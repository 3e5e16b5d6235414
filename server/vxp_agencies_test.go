package server

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// agencyRows is one of the lists of agencies, by code.
func (v *vxpSystem) agencyRows(path string) map[string]map[string]any {
	v.a.t.Helper()
	answer := v.call(path, nil)
	if answer["status"] != "OK" || answer["ErrorCode"] != "0" {
		v.a.t.Fatalf("%s: %v", path, answer)
	}
	rows := map[string]map[string]any{}
	for _, one := range answer["data"].([]any) {
		row := one.(map[string]any)
		rows[row["code"].(string)] = row
	}
	return rows
}

func sameRow(t *testing.T, got map[string]any, want string) {
	t.Helper()
	raw, err := json.Marshal(got) // keys sorted
	check(t, err)
	if string(raw) != want {
		t.Errorf("got  %s\nwant %s", raw, want)
	}
}

// TestVXPAgencyLists: what each of the three lists says of a live, a locked and a closed agency.
func TestVXPAgencyLists(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	hub := a.vxp("H26")
	mail := hub.call("/registerAgency", []byte(`{"id":"","pcode":"H26","code":"H26.7","name":"Sở \"Bảy\" <Hà Nội>","mail":"bay@hanoi.example","mobile":"","fax":""}`))
	if mail["ErrorCode"] != "0" {
		t.Fatal(mail)
	}
	list := hub.agencyRows("/getAgenciesList")
	sameRow(t, list["H26.7"], `{"code":"H26.7","id":"H26.7","mail":"bay@hanoi.example","name":"Sở \"Bảy\" \u003cHà Nội\u003e","oldCode":"","pid":"H26"}`)
	sameRow(t, list["H29.12"], `{"code":"H29.12","id":"H29.12","mail":"","name":"Sở Y tế Thành phố Hồ Chí Minh","oldCode":"000.00.12.H29","pid":"H29"}`)
	if list["H02"] == nil || list["H54"] != nil || len(list) != len(testAgencies) {
		t.Errorf("%d rows, locked %v, closed %v", len(list), list["H02"], list["H54"])
	}
	qd20 := hub.agencyRows("/getAgenciesListQD20")
	sameRow(t, qd20["H29.12"], `{"code":"H29.12","code102":"000.00.12.H29","id":"H29.12","mail":"","name":"Sở Y tế Thành phố Hồ Chí Minh"}`)
	if qd20["H54"] != nil || len(qd20) != len(testAgencies) {
		t.Errorf("%d rows, closed %v", len(qd20), qd20["H54"])
	}
	units := hub.agencyRows("/getSynchronizeUnit")
	sameRow(t, units["H26.7"], `{"centerCode":"H26","code":"H26.7","deleted":false,"id":"H26.7","isAgency":true,"mail":"bay@hanoi.example","modifyDate":"2026-11-23 08:00:00","name":"Sở \"Bảy\" \u003cHà Nội\u003e","pid":"H26","version":2}`)
	sameRow(t, units["H54"], `{"centerCode":"","code":"H54","deleted":true,"id":"H54","isAgency":true,"mail":"","modifyDate":"2026-11-23 08:00:00","name":"UBND tỉnh Thái Bình","pid":"","version":1}`)
	if len(units) != len(testAgencies)+1 {
		t.Errorf("%d rows", len(units))
	}
}

// TestVXPAgencyListParents: a list without the closed ones never points at one of them.
func TestVXPAgencyListParents(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	_, err := a.Store.ImportAgencies(t.Context(), []routing.Agency{
		{Code: "H26.1", Name: "Quận (đã đóng)", Status: routing.Closed},
		{Code: "H26.1.5", Name: "Phường", Status: routing.Live},
		{Code: "H26.1.5.1", Name: "Trạm Y tế", Parent: "H26.1.5", Status: routing.Live},
		{Code: "H54.9", Name: "Đơn vị của tỉnh đã đóng", Status: routing.Live},
	}, "test", a.now)
	check(t, err)
	check(t, a.reload(t.Context()))
	list, units := a.vxp("H26").agencyRows("/getAgenciesList"), a.vxp("H26").agencyRows("/getSynchronizeUnit")
	for code, want := range map[string][2]string{"H26.1.5": {"H26", "H26.1"}, "H26.1.5.1": {"H26.1.5", "H26.1.5"}, "H54.9": {"", "H54"}} {
		if list[code]["pid"] != want[0] || units[code]["pid"] != want[1] {
			t.Errorf("%s under %q and %q, want %q", code, list[code]["pid"], units[code]["pid"], want)
		}
	}
}

// TestVXPAgencyListZipped: who takes gzip gets it, and the same list inside.
func TestVXPAgencyListZipped(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	ask := func(encoding string) (*http.Response, []byte) {
		v := a.vxp("H26")
		request, err := http.NewRequest(http.MethodPost, a.url+"/vxp/getAgenciesList", nil)
		check(t, err)
		request.Header.Set(vxpSignHeader, v.signed())
		request.Header.Set(vxpHashHeader, fmt.Sprintf("%x", signMap([]byte("secret-H26"), v.signed())))
		request.Header.Set("Accept-Encoding", encoding)
		response, err := http.DefaultTransport.RoundTrip(request)
		check(t, err)
		defer func() { _ = response.Body.Close() }()
		raw, err := io.ReadAll(response.Body)
		check(t, err)
		return response, raw
	}
	plain, raw := ask("identity")
	if plain.Header.Get("Content-Encoding") != "" || !json.Valid(raw) || !strings.HasPrefix(plain.Header.Get("Content-Type"), "application/json") {
		t.Fatalf("%v %.100s", plain.Header, raw)
	}
	zipped, packed := ask("gzip,deflate")
	if zipped.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("%v", zipped.Header)
	}
	in, err := gzip.NewReader(bytes.NewReader(packed))
	check(t, err)
	unpacked, err := io.ReadAll(in)
	if err != nil || !bytes.Equal(unpacked, raw) {
		t.Errorf("%v: %d bytes, want %d", err, len(unpacked), len(raw))
	}
}

func TestAcceptsGzip(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{"": false, "gzip": true, "GZIP": true, "gzip,deflate": true, "deflate, gzip;q=0.5": true, "*": true, "x-gzip": true,
		"identity": false, "gzip;q=0": false, "gzip; q=0.000": false, "*;q=0": false, "*, gzip;q=0": false, "gzip;q=0, *": false, "*;q=0, gzip": true, "gzip;q=x": false, "gzipped": false} {
		if got := acceptsGzip(header); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}

// TestVXPAgencyListCut: when the database fails in the middle of a list, the client hears of a broken answer, never of a
// short list; when it fails before the first row, of a failure.
func TestVXPAgencyListCut(t *testing.T) {
	t.Parallel()
	for _, zipped := range []bool{false, true} {
		t.Run(fmt.Sprint("zipped ", zipped), func(t *testing.T) {
			t.Parallel()
			a := newAxis(t, "")
			many := make([]routing.Agency, storage.AgencyPageSize+10)
			for i := range many {
				many[i] = routing.Agency{Code: routing.Code(fmt.Sprintf("H26.%d", i+1)), Name: fmt.Sprintf("Đơn vị %d", i+1), Status: routing.Live}
			}
			_, err := a.Store.ImportAgencies(t.Context(), many, "test", a.now)
			check(t, err)
			rows := 0
			face := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var row vxpAgency
				_ = a.streamAgencies(echo.New().NewContext(r, w), &row, func(x storage.ListedAgency) bool {
					if rows++; rows == storage.AgencyPageSize { // the table is gone before the second page is asked for
						_, err := a.rows(t).Exec(t.Context(), `ALTER TABLE agency RENAME TO agency_gone`)
						check(t, err)
					}
					row = vxpAgency{Code: x.Code, Name: x.Name}
					return true
				})
			}))
			defer face.Close()
			request, err := http.NewRequest(http.MethodPost, face.URL, nil)
			check(t, err)
			if zipped {
				request.Header.Set("Accept-Encoding", "gzip")
			}
			response, err := http.DefaultTransport.RoundTrip(request)
			if err == nil {
				raw, failed := io.ReadAll(response.Body)
				_ = response.Body.Close()
				if err = failed; err == nil || json.Valid(raw) {
					t.Errorf("a whole answer of %d bytes, %v", len(raw), err)
				}
			}
			fail := a.vxp("H26").call("/getAgenciesList", nil)
			if fail["status"] != "FAIL" || fail["ErrorCode"] != "20" || len(fail["data"].([]any)) != 0 {
				t.Errorf("%v", fail)
			}
			_, err = a.rows(t).Exec(t.Context(), `ALTER TABLE agency_gone RENAME TO agency`)
			check(t, err)
		})
	}
}

// TestVXPAgencyListSize: the whole country (R54) in 64 MB of heap more than before. How long it takes is told and not
// judged: a test must not depend on its neighbours.
func TestVXPAgencyListSize(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 125,000 agencies")
	}
	a := newAxis(t, "")
	const full = 125_000
	many := make([]routing.Agency, 0, full)
	for i := range full {
		code := routing.Code(fmt.Sprintf("H%02d.%d.%02d", 1+i%34, 51+i/34/20, 1+i/34%20))
		old, _ := code.Equivalent()
		many = append(many, routing.Agency{Code: code, OldCode: old, Name: fmt.Sprintf("Trung tâm Phục vụ hành chính công xã Định Mỹ %d", i), Status: routing.Live, Kind: "unit", Decision: "QĐ 09/2025/QĐ-TTg"})
	}
	_, err := a.Store.ImportAgencies(t.Context(), many, "test", a.now)
	check(t, err)
	many = nil
	check(t, a.reload(t.Context()))
	v := a.vxp("H26")
	for _, path := range []string{"/getAgenciesList", "/getAgenciesListQD20", "/getSynchronizeUnit"} {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		peak, stop := watchHeap()
		started := time.Now()
		request, err := http.NewRequest(http.MethodPost, a.url+"/vxp"+path, nil)
		check(t, err)
		request.Header.Set(vxpSignHeader, v.signed())
		request.Header.Set(vxpHashHeader, fmt.Sprintf("%x", signMap([]byte("secret-H26"), v.signed())))
		response, err := http.DefaultTransport.RoundTrip(request) // unpacks gzip
		check(t, err)
		rows, err := countRows(response.Body)
		check(t, err)
		_ = response.Body.Close()
		took := time.Since(started)
		stop()
		runtime.ReadMemStats(&after)
		if rows < full {
			t.Errorf("%s: %d rows", path, rows)
		}
		grown := int64(peak.Load()) - int64(before.HeapAlloc)
		if grown > 64<<20 {
			t.Errorf("%s takes %d MB of heap, more than 64", path, grown>>20)
		}
		t.Logf("%s: %d rows in %s, %d MB of heap more at the most, %d MB allocated in all", path, rows, took.Round(time.Millisecond), grown>>20, (after.TotalAlloc-before.TotalAlloc)>>20)
	}
}

// countRows reads a list as it comes and counts its rows by the letters that begin one.
func countRows(body io.Reader) (rows int, err error) {
	buf := make([]byte, 64<<10)
	mark, kept := []byte(`"id":`), 0
	for {
		n, err := body.Read(buf[kept:])
		part := buf[:kept+n]
		rows += bytes.Count(part, mark)
		kept = copy(buf, part[max(0, len(part)-len(mark)+1):])
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
	}
}

// watchHeap looks at the heap all the time and keeps the most it saw.
func watchHeap() (peak *atomic.Uint64, stop func()) {
	peak = &atomic.Uint64{}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapAlloc))
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	return peak, func() { close(done); <-ended }
}
