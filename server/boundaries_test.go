package server

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

// TestDayMonthYearBoundaries: a second before and the first instant of a day that begins a month, and a year, in Vietnam:
// each dispatch lies in its own month, day's list and day's count, whatever the day is in UTC.
func TestDayMonthYearBoundaries(t *testing.T) {
	t.Parallel()
	for _, last := range []time.Time{
		time.Date(2026, 10, 31, 23, 59, 59, 0, storage.Vietnam), // 16:59:59 UTC: still October there for seven hours
		time.Date(2026, 12, 31, 23, 59, 59, 0, storage.Vietnam),
	} {
		t.Run(last.Format("2006-01"), func(t *testing.T) {
			t.Parallel()
			a := newAxis(t, "", func(a *axis, _ *Config) { a.now = last })
			before := a.submit("H29.12", letter("trước", "H26", "H01.151"), signed(t)).want(t, 201)
			a.pass(time.Second)
			after := a.submit("H29.12", letter("sau", "H26", "H01.151"), signed(t)).want(t, 201)
			if got := before.json["accepted_at"]; got != last.Format(time.RFC3339) {
				t.Errorf("accepted at %v", got)
			}
			first := last.Add(time.Second)
			if got := after.json["accepted_at"]; got != first.Format("2006-01-02")+"T00:00:00+07:00" {
				t.Errorf("accepted at %v", got)
			}
			a.inMonth(t, before, last)
			a.inMonth(t, after, first)
			a.listed(t, last, "trước")
			a.listed(t, first, "sau")
			// Both are taken on the new day, so they count as received then; the mailbox had each with its commit.
			for _, r := range []reply{before, after} {
				a.call("H26", "POST", "/api/v1/inbox/"+r.json["id"].(string)+".1.d.0/taken", nil).want(t, 200)
			}
			for range 2 { // before the counts are folded, and after
				a.counted(t, last, []storage.Volume{{Agency: "H01.151", Received: 1}, {Agency: "H29.12", Sent: 1}})
				a.counted(t, first, []storage.Volume{{Agency: "H01.151", Received: 1}, {Agency: "H26", Received: 2}, {Agency: "H29.12", Sent: 1}})
				check(t, fold(t.Context(), a.Server))
			}
			// The clock for registering ends with the day of arrival: in the mailbox a second later, elsewhere a day.
			for r, want := range map[*reply][]time.Time{&before: {first.AddDate(0, 0, 1), first}, &after: {first.AddDate(0, 0, 1), first.AddDate(0, 0, 1)}} {
				got := a.call("H29.12", "GET", "/api/v1/dispatches/"+r.json["id"].(string), nil).want(t, 200)
				for i, d := range got.json["deliveries"].([]any) {
					awaited := d.(map[string]any)["awaited"].(map[string]any)
					if awaited["by"] != want[i].Format(time.RFC3339) {
						t.Errorf("delivery %d of %v is awaited by %v, want %v", i, r.json["document_id"], awaited["by"], want[i])
					}
				}
			}
		})
	}
}

// inMonth checks in which month's table a dispatch and its deliveries lie.
func (a *axis) inMonth(t *testing.T, r reply, at time.Time) {
	t.Helper()
	for table, column := range map[string]string{"dispatch": "id", "delivery": "dispatch_id", "attachment": "dispatch_id"} {
		var in string
		check(t, a.rows(t).QueryRow(t.Context(), fmt.Sprintf("SELECT DISTINCT tableoid::regclass::text FROM %s WHERE %s = $1", table, column), r.json["id"]).Scan(&in))
		if want := table + "_" + at.Format("200601"); in != want {
			t.Errorf("%s lies in %s, want %s", r.json["document_id"], in, want)
		}
	}
}

// listed checks both sides' lists of one day, asked for by date and by instant.
func (a *axis) listed(t *testing.T, day time.Time, want string) {
	t.Helper()
	date := day.Format(time.DateOnly)
	start := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, storage.Vietnam)
	for _, period := range []string{"from=" + date + "&to=" + date,
		"from=" + start.UTC().Format(time.RFC3339) + "&to=" + start.AddDate(0, 0, 1).UTC().Format(time.RFC3339)} {
		sent := a.call("H29.12", "GET", "/api/v1/dispatches?"+period, nil).want(t, 200).json["dispatches"].([]any)
		if len(sent) != 1 || sent[0].(map[string]any)["document_id"] != want {
			t.Errorf("sent, %s: %v", period, sent)
		}
		received := a.call("H26", "GET", "/api/v1/deliveries?"+period, nil).want(t, 200).json["deliveries"].([]any)
		if len(received) != 1 || received[0].(map[string]any)["dispatch"].(map[string]any)["document_id"] != want {
			t.Errorf("received, %s: %v", period, received)
		}
	}
}

// counted checks one day's volumes and their recount from the rows.
func (a *axis) counted(t *testing.T, day time.Time, want []storage.Volume) {
	t.Helper()
	for name, read := range map[string]func(from, to time.Time) ([]storage.Volume, error){
		"counted":   func(from, to time.Time) ([]storage.Volume, error) { return a.Store.Volumes(t.Context(), from, to) },
		"recounted": func(from, to time.Time) ([]storage.Volume, error) { return a.Store.Recount(t.Context(), from, to) },
	} {
		got, err := read(day, day.AddDate(0, 0, 1))
		check(t, err)
		if !slices.Equal(got, want) {
			t.Errorf("%s for %s: %+v, want %+v", name, day.Format(time.DateOnly), got, want)
		}
	}
}

// TestPages: a long list is read page by page to its end, whatever length of page is asked for.
func TestPages(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	for i := range 7 {
		a.submit("H29.12", letter(fmt.Sprint(i), "H26", "H01", "H01.151"), signed(t)).want(t, 201)
		a.pass(time.Millisecond)
	}
	read := func(system, path, list, limit string) (n int) {
		next := ""
		for {
			page := a.call(system, "GET", path+"limit="+limit+"&after="+next, nil).want(t, 200)
			n += len(page.json[list].([]any))
			if next, _ = page.json["next"].(string); next == "" {
				return n
			}
		}
	}
	for _, limit := range []string{"1", "2", "3", "7", "0", "", "1000", "5000"} {
		if n := read("H29.12", "/api/v1/dispatches?", "dispatches", limit); n != 7 {
			t.Errorf("limit %s: %d dispatches", limit, n)
		}
		if n := read("box", "/api/v1/deliveries?", "deliveries", limit); n != 14 {
			t.Errorf("limit %s: %d deliveries", limit, n)
		}
	}
	id := a.call("H29.12", "GET", "/api/v1/dispatches?limit=1", nil).json["dispatches"].([]any)[0].(map[string]any)["id"].(string)
	for _, limit := range []string{"1", "2", "3", "0", "5000"} {
		if n := read("H29.12", "/api/v1/dispatches/"+id+"?", "deliveries", limit); n != 3 {
			t.Errorf("limit %s: %d deliveries of one dispatch", limit, n)
		}
	}
}
