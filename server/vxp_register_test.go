package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// register says what registerAgency's body holds, in the order of the spec.
func (v *vxpSystem) register(code, pcode, name string, more ...string) map[string]any {
	v.a.t.Helper()
	body := map[string]string{"id": "", "pcode": pcode, "code": code, "name": name, "mail": "", "mobile": "", "fax": ""}
	for i := 0; i+1 < len(more); i += 2 {
		body[more[i]] = more[i+1]
	}
	raw, err := json.Marshal(body)
	check(v.a.t, err)
	return v.call("/registerAgency", raw)
}

func (v *vxpSystem) remove(code string) map[string]any {
	v.a.t.Helper()
	return v.call("/deleteAgency", []byte("{}"), "AgencyCode", code)
}

func accepted(t *testing.T, answer map[string]any) {
	t.Helper()
	if answer["status"] != "OK" || answer["ErrorCode"] != "0" {
		t.Fatalf("%v", answer)
	}
}

// failed checks a refusal: its code, and what its sentence must name, all of it ASCII.
func failed(t *testing.T, answer map[string]any, code, says string) {
	t.Helper()
	desc, _ := answer["ErrorDesc"].(string)
	if answer["status"] != "FAIL" || answer["ErrorCode"] != code || !regexp.MustCompile(says).MatchString(desc) || strings.IndexFunc(desc, func(r rune) bool { return r >= 0x80 }) >= 0 {
		t.Errorf("got %v, want %s with %q", answer, code, says)
	}
}

// agency is what the native face of the same node shows.
func (a *axis) agency(system, code string) map[string]any {
	a.t.Helper()
	return a.call(system, "GET", "/api/v1/agencies/"+url.PathEscape(code), nil).want(a.t, 200).json
}

func (a *axis) trail(t *testing.T, object string) []string {
	t.Helper()
	var list []string
	check(t, a.rows(t).QueryRow(t.Context(), `
		SELECT coalesce(array_agg(actor || ' ' || action ORDER BY id), '{}') FROM audit WHERE object = $1 AND action LIKE 'agency.%'`, object).Scan(&list))
	return list
}

// TestVXPRegisterAgency: a new agency is there at once, under its parent, and sends and receives over its hub.
func TestVXPRegisterAgency(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	hub, other := a.vxp("H26"), a.vxp("H29.12")
	accepted(t, hub.register("H26.7", "H26", "Sở Bảy"))
	if got := a.agency("H29.12", "H26.7"); got["name"] != "Sở Bảy" || got["parent"] != "H26" || got["system"] != "H26" || got["status"] != "live" ||
		got["valid_from"] != "2026-11-23" || got["code_source"] != "VXP registerAgency H26" {
		t.Errorf("%v", got)
	}
	if found := a.call("H29.12", "GET", "/api/v1/agencies?q=so+bay", nil).want(t, 200).json["agencies"].([]any); len(found) != 1 {
		t.Errorf("search: %v", found)
	}
	sent := other.send(a.testPacket("d1", "H26.7"), "H29.12")
	accepted(t, sent)
	if items := hub.list("edoc"); len(items) != 1 || items[0]["to"] != "H26.7" {
		t.Errorf("%v", items)
	}
	if trail := a.trail(t, "H26.7"); len(trail) != 1 || trail[0] != "H26 agency.register" {
		t.Errorf("audit: %v", trail)
	}

	version := a.Directory().Version()
	for range 3 { // what clients do every night
		accepted(t, hub.register("H26.7", "H26", "Sở Bảy"))
	}
	if a.Directory().Version() != version || len(a.trail(t, "H26.7")) != 1 {
		t.Error("saying the same again is a change")
	}
	accepted(t, hub.register(" h26.7 ", "h26", "Sở Bảy (đổi tên)", "mail", "bay@hanoi.example", "mobile", "0912", "fax", "024"))
	if got := a.agency("H29.12", "H26.7"); got["name"] != "Sở Bảy (đổi tên)" || got["parent"] != "H26" {
		t.Errorf("%v", got)
	}
	contact, err := a.Store.AgencyContact(t.Context(), "H26.7")
	if (err != nil || contact != storage.Contact{Mail: "bay@hanoi.example", Phone: "0912", Fax: "024"}) {
		t.Errorf("%+v, %v", contact, err)
	}
	accepted(t, hub.call("/registerAgency", []byte("\xef\xbb\xbf{\"code\":\"H26.7\",\"name\":\"Sở Bảy (đổi tên)\",\"mail\":null}\r\n")))
	if again, err := a.Store.AgencyContact(t.Context(), "H26.7"); err != nil || again != contact {
		t.Errorf("what was not said changed: %+v, %v", again, err)
	}
}

// TestVXPRegisterAgencyParents: from the code when none is given, else within what the caller manages.
func TestVXPRegisterAgencyParents(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	hub := a.vxp("H26")
	for _, c := range []struct{ code, pcode, parent string }{
		{"H26.1", "", "H26"},
		{"H26.1.2", "", "H26.1"},
		{"H26.5.5.5", "", "H26"},          // nothing registered between
		{"H26.1.3", "H26", "H26"},         // given, though the code says otherwise
		{"H26.1.3", "H26.1", "H26.1"},     // moved
		{"H26.1.3", "", "H26.1"},          // stays
		{"H26.9", "000.00.00.H26", "H26"}, // the parent by its old form
		{"H26", "", ""},                   // itself: it has no parent, and keeps none
		{"H26", "H26", ""},                // some clients name themselves
		{"H26.8", "H26.8", "H26"},
		{"H26.DN.001", "H26", "H26"},
	} {
		accepted(t, hub.register(c.code, c.pcode, "Đơn vị "+c.code))
		if got, _ := a.Directory().Get(routing.Code(c.code)); string(got.Parent) != c.parent {
			t.Errorf("%s with pcode %q is under %q, want %q", c.code, c.pcode, got.Parent, c.parent)
		}
	}
	failed(t, hub.register("H26.2", "H29", "Sở Hai"), "19", `H29.*H26\.\*`)
	failed(t, hub.register("H26.2", "H77", "Sở Hai"), "18", "H77")
	failed(t, hub.register("H26.2", "H26..1", "Sở Hai"), "18", "nhom rong")
	failed(t, hub.register("H26.1", "H26.1.2", "Sở Một"), "22", "parent: .*quay vong")
	failed(t, hub.register("H26", "H26.1", "UBND thành phố Hà Nội"), "21", "H26 la goc")
	accepted(t, hub.remove("H26.1.2"))
	failed(t, hub.register("H26.1.2.1", "H26.1.2", "Tổ"), "18", `H26\.1\.2 da dong`)
	accepted(t, hub.register("H26.1.2.1", "", "Tổ")) // the nearest that is open
	if got, _ := a.Directory().Get("H26.1.2.1"); got.Parent != "H26.1" {
		t.Errorf("%+v", got)
	}
}

// TestVXPRegisterAgencyForms: both forms of codes are understood; a pair is made where nobody else has the code.
func TestVXPRegisterAgencyForms(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	hub, other := a.vxp("H26"), a.vxp("H29.12")
	a.addSystem("old", "old", "H31.*")
	accepted(t, hub.register("000.00.15.h26", "000.00.00.H26", "Sở Mười lăm"))
	accepted(t, hub.register("H26.15", "", "Sở Mười lăm"))         // the same by its new form
	accepted(t, hub.register("000.00.15.H26", "", "Sở 15"))        // and by the old one
	accepted(t, hub.register("000.01.15.H26", "", "Phòng Một"))    // under it
	accepted(t, hub.register("H26.16", "", "Sở Mười sáu"))         // a new form alone
	accepted(t, hub.register("000.00.16.H26", "", "sở  mười sáu")) // plainly the same: the pair is made
	accepted(t, hub.register("H26.17", "", "Sở Mười bảy"))
	accepted(t, hub.register("000.00.17.H26", "", "Sở Khác hẳn")) // the number was issued again: its old form is its only one
	accepted(t, hub.register("000.00.17.H26", "", "Sở Khác hẳn"))
	for code, want := range map[string]struct{ old, name, parent string }{
		"H26.15": {"000.00.15.H26", "Sở 15", "H26"}, "H26.15.01": {"000.01.15.H26", "Phòng Một", "H26.15"},
		"H26.16": {"000.00.16.H26", "sở  mười sáu", "H26"}, "H26.17": {"", "Sở Mười bảy", "H26"}, "000.00.17.H26": {"", "Sở Khác hẳn", "H26"},
	} {
		got, ok := a.Directory().Get(routing.Code(code))
		if !ok || string(got.OldCode) != want.old || got.Name != want.name || string(got.Parent) != want.parent {
			t.Errorf("%s: %+v", code, got)
		}
	}
	if n := a.Directory().Len(); n != len(testAgencies)+5 {
		t.Errorf("%d agencies", n)
	}
	// Both forms in one packet are one agency and one item; each system reads the form that is its own.
	accepted(t, other.send(a.testPacket("d2", "H26.15", "000.00.15.H26", "H31"), "H29.12"))
	if items := hub.list("edoc"); len(items) != 1 || items[0]["to"] != "H26.15" || items[0]["from"] != "H29.12" {
		t.Errorf("%v", items)
	}
	if items := a.vxp("old").list("edoc"); len(items) != 1 || items[0]["from"] != "000.00.12.H29" || items[0]["to"] != "H31" { // H31 has no old form
		t.Errorf("%v", items)
	}
}

// addSystem adds a system that pulls, with a form of code.
func (a *axis) addSystem(id, form string, serves ...string) {
	a.t.Helper()
	sys := storage.System{ID: id, Name: id, Kind: "lgsp", Way: routing.Pull, Form: form, Secret: a.Key.Seal([]byte("secret-"+id), storage.SecretPurpose(id))}
	for _, text := range serves {
		code, subtree, err := routing.ParseServing(text)
		check(a.t, err)
		sys.Serves = append(sys.Serves, routing.Serving{Code: code, Subtree: subtree})
	}
	check(a.t, a.Store.AddSystem(a.t.Context(), sys, "test", a.now))
	check(a.t, a.reload(a.t.Context()))
}

// TestVXPRegisterAgencyRefused: what is not the caller's, what no code may be, what no body may be; and nothing is written.
func TestVXPRegisterAgencyRefused(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	a.addSystem("nested", "new", "H26.5.*")
	hub, single, nested := a.vxp("H26"), a.vxp("H29.12"), a.vxp("nested")
	accepted(t, hub.register("H26.4", "", "Quận Bốn"))
	_, err := a.Store.ImportAgencies(t.Context(), []routing.Agency{{Code: "H26.5", Name: "Quận Năm", Status: routing.Live},
		{Code: "H26.6", Name: "Quận Sáu", Status: routing.Closed, Successors: []routing.Code{"H26.5"}, Decision: "QĐ 1/2025"},
		{Code: "vxp.saas.03", Name: "SaaS", Status: routing.Live}}, "test", a.now)
	check(t, err)
	check(t, a.reload(t.Context()))
	accepted(t, nested.register("H26.5.1", "", "Phường Một"))
	version := a.Directory().Version()
	for _, c := range []struct {
		who         *vxpSystem
		code, pcode string
		name        string
		want, says  string
	}{
		{hub, "H29.13", "", "Sở", "19", `H29\.13.*H26\.\*`},
		{hub, "H29.13", "H26", "Sở", "19", `H29\.13`},
		{hub, "000.00.13.H29", "H26", "Sở", "19", `000\.00\.13\.H29`},
		{hub, "H29.12", "", "Sở", "19", `H29\.12`},
		{hub, "H77", "H26", "Tỉnh", "19", "H77"},
		{hub, "020100107370", "H26", "Công ty", "19", "020100107370"}, // nobody may take a tax number as its own
		{hub, "13.H26", "H26", "Sở", "19", `13\.H26`},                 // half reversed: never guessed
		{hub, "VXP.SAAS.03", "", "SaaS", "19", "vxp.saas.03"},
		{hub, "H26.5.2", "", "Phường", "19", `H26\.5\.2`}, // another hub's since it has H26.5.*
		{hub, "H26.5.2", "H26", "Phường", "19", `H26\.5\.2`},
		{hub, "H26.41", "H26.5", "Phường", "19", `H26\.5`},
		{hub, "H26.5", "", "Quận Năm mới", "19", `H26\.5`},
		{nested, "H26.4", "", "Quận Bốn", "19", `H26\.4.*H26\.5\.\*`},
		{nested, "H26.5.3", "H26.4", "Phường", "19", `H26\.4`},
		{single, "H29.12", "", "Sở Tài chính", "19", "khong doi duoc ten.*So Y te"},
		{single, "H29.12.1", "H29.12", "Phòng", "19", "khong phuc vu nhanh nao"},
		{single, "H29.13", "", "Sở", "19", `H29\.13`},
		{hub, "H26.6", "", "Quận Sáu", "18", `H26\.6 da dong .*QD 1/2025.*H26\.5`},
		{hub, "H54", "", "UBND tỉnh Thái Bình", "19", "H54"},
		{hub, "H26..1", "", "Sở", "18", "nhom rong"},
		{hub, "H26. 1", "", "Sở", "18", `ky tu`},
		{hub, "H26.Sở1", "", "Sở", "18", `ky tu`},
		{hub, "H26." + strings.Repeat("1", 40), "", "Sở", "18", "44 ky tu, qua 35"},
		{hub, "", "", "Sở", "18", "de trong"},
		{hub, "H26.10", "", "", "22", "name: Bat buoc"},
		{hub, "H26.10", "", strings.Repeat("ở", 201), "22", "name: Dai qua 200"},
		{hub, "H26.10", "", "Sở\nMười", "22", "name: Co ky tu dieu khien"},
		{hub, "H26.10", "", "=cmd()", "22", "name: .*cong thuc"},
	} {
		t.Run(c.code+" "+c.want, func(t *testing.T) {
			failed(t, c.who.register(c.code, c.pcode, c.name), c.want, c.says)
		})
	}
	for body, want := range map[string]string{
		"":                                "22",
		"{":                               "22",
		"[]":                              "22",
		`"H26.10"`:                        "22",
		`{"code":"H26.10","name":"a"} {}`: "22",
		`{"code":["H26.10"],"name":"a"}`:  "22",
		`{"code":true,"name":"a"}`:        "22",
		"{\"code\":\"H26.10\",\"name\":\"\xff\"}":                                "22",
		`{"code":"H26.10","name":"a","mail":"` + strings.Repeat("a", 201) + `"}`: "22",
		`{"code":"H26.10","name":"a","fax":"0\u0000"}`:                           "21",
		`{"name":"a"}`:        "18",
		`null`:                "18",
		`{"code":7,"name":8}`: "19",
	} {
		failed(t, hub.call("/registerAgency", []byte(body)), want, "")
	}
	if a.Directory().Version() != version {
		t.Error("what was refused was written")
	}
	accepted(t, hub.register("H26.10", "", strings.Repeat("ở", 200)))
	accepted(t, hub.call("/registerAgency", []byte(`{"code":"H26.11","name":2026,"mobile":912}`)))
	if got, _ := a.Directory().Get("H26.11"); got.Name != "2026" {
		t.Errorf("%+v", got)
	}
}

// TestVXPRegisterItself: a system that is connected for one agency says its contact; it neither renames nor moves it.
func TestVXPRegisterItself(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	single := a.vxp("H29.12")
	accepted(t, single.register("H29.12", "", "Sở Y tế Thành phố Hồ Chí Minh", "mail", "yte@hcm.example"))
	accepted(t, single.register("000.00.12.H29", "H29", "SO Y TE THANH PHO HO CHI MINH", "mail", "yte@hcm.example")) // as old programs write it
	got, _ := a.Directory().Get("H29.12")
	contact, err := a.Store.AgencyContact(t.Context(), "H29.12")
	if got.Name != "Sở Y tế Thành phố Hồ Chí Minh" || contact.Mail != "yte@hcm.example" || err != nil {
		t.Errorf("%+v %+v %v", got, contact, err)
	}
	if trail := a.trail(t, "H29.12"); len(trail) != 1 {
		t.Errorf("%v", trail)
	}
	failed(t, single.register("H29.12", "H26", "Sở Y tế Thành phố Hồ Chí Minh"), "19", "H26")
	failed(t, single.remove("H29.12"), "19", `H29\.12`)
}

// TestVXPDeleteAgency: closing keeps everything, and only its own hub takes it back.
func TestVXPDeleteAgency(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	hub, other := a.vxp("H26"), a.vxp("H29.12")
	accepted(t, hub.register("H26.1", "", "Quận Một"))
	for i := range 7 {
		accepted(t, hub.register(fmt.Sprintf("H26.1.%d", i+1), "", fmt.Sprintf("Phường %d", i+1)))
	}
	accepted(t, other.send(a.testPacket("d1", "H26.1.1"), "H29.12"))
	failed(t, hub.remove("H26.1"), "21", `con 7 don vi.*H26\.1\.1 Phuong 1; .*H26\.1\.5 Phuong 5; hay dong`)
	failed(t, hub.remove("H26"), "21", "H26 la goc")
	failed(t, hub.remove("H29.12"), "19", `H29\.12`)
	failed(t, hub.remove("H26.99"), "18", `H26\.99`)
	failed(t, hub.remove(" "), "21", "")
	failed(t, other.remove("H26.1.1"), "19", `H26\.1\.1`)

	a.pass(48 * time.Hour)
	for i := range 7 {
		accepted(t, hub.remove(fmt.Sprintf("h26.1.%d", i+1)))
	}
	accepted(t, hub.remove("H26.1"))
	accepted(t, hub.remove("H26.1")) // done already
	if got := a.agency("H29.12", "H26.1.1"); got["status"] != "closed" || got["valid_to"] != "2026-11-25" || got["decision"] != "VXP deleteAgency H26" {
		t.Errorf("%v", got)
	}
	if trail := a.trail(t, "H26.1"); len(trail) != 2 || trail[1] != "H26 agency.close" {
		t.Errorf("%v", trail)
	}
	failed(t, other.send(a.testPacket("d2", "H26.1.1"), "H29.12"), "18", `H26\.1\.1 da dong`)
	if row := hub.agencyRows("/getSynchronizeUnit")["H26.1"]; row["deleted"] != true || row["modifyDate"] != "2026-11-25 08:00:00" {
		t.Errorf("%v", row)
	}
	if row := hub.agencyRows("/getAgenciesList")["H26.1"]; row != nil {
		t.Errorf("%v", row)
	}

	// What waited before it closed is fetched and ended by its hub, after a reroute of everything too.
	check(t, a.reroute(t.Context(), a.directory()))
	items := hub.list("edoc")
	if len(items) != 1 || items[0]["to"] != "H26.1.1" {
		t.Fatalf("%v", items)
	}
	if got := hub.call("/getEdoc", []byte("{}"), "docId", items[0]["docId"].(string)); got["ErrorCode"] != "0" || got["data"] == "" {
		t.Errorf("%v", got)
	}
	accepted(t, hub.call("/updateStatus", []byte("{}"), "status", "done"))

	failed(t, hub.register("H26.1.1", "", "Phường khác"), "18", `H26\.1\.1 da dong`)
	accepted(t, hub.register("H26.1.1", "", "phường 1"))
	if got := a.agency("H29.12", "H26.1.1"); got["status"] != "live" || got["valid_to"] != nil || got["valid_from"] != "2026-11-23" {
		t.Errorf("%v", got)
	}
	accepted(t, other.send(a.testPacket("d3", "H26.1.1"), "H29.12"))
	// An operator takes the matter up: what the import closes stays closed.
	two, _ := a.Directory().Get("H26.1.2")
	two.Decision = "QĐ 7/2026/QĐ-UBND"
	_, err := a.Store.ImportAgencies(t.Context(), []routing.Agency{two}, "operator", a.clock())
	check(t, err)
	check(t, a.reload(t.Context()))
	failed(t, hub.register("H26.1.2", "", "Phường 2"), "18", `QD 7/2026/QD-UBND`)
}

// TestVXPAgenciesTogether: hubs on two nodes change the directory at once. Each change that was answered is there, on both
// nodes, and an agency may send through the node that registered it in the next call.
func TestVXPAgenciesTogether(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	a.addSystem("H01", "new", "H01.151.*")
	second := a.node()
	const each = 8
	var all sync.WaitGroup
	for n, hub := range []*vxpSystem{a.vxp("H26"), second.vxp("H26"), second.vxp("H01"), a.vxp("H01")} {
		top := map[string]string{"H26": "H26", "H01": "H01.151"}[hub.id]
		all.Go(func() {
			for i := range each {
				own, shared := fmt.Sprintf("%s.A%d.%d", top, n, i), fmt.Sprintf("%s.B%d", top, i)
				for _, code := range []string{own, shared} {
					if got := hub.register(code, "", "Đơn vị "+code); got["ErrorCode"] != "0" {
						t.Errorf("%s: %v", code, got)
					}
					if got, ok := hub.a.Directory().Get(routing.Code(code)); !ok || got.Status != routing.Live {
						t.Errorf("%s is not in force on its own node", code)
					}
				}
				if i%2 == 0 {
					if got := hub.remove(own); got["ErrorCode"] != "0" {
						t.Errorf("%s: %v", own, got)
					}
				}
			}
		})
	}
	all.Wait()
	for _, node := range []*axis{a, second} {
		node.eventually(t, func() bool { return node.Directory().Len() == len(testAgencies)+4*each+2*each })
	}
	var lines, closed int
	check(t, a.rows(t).QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE action = 'agency.register'), count(*) FILTER (WHERE action = 'agency.close') FROM audit`).Scan(&lines, &closed))
	if lines != 4*each+2*each || closed != 4*each/2 {
		t.Errorf("%d registered, %d closed", lines, closed)
	}
}

// node starts a second node on the same database, key and objects.
func (a *axis) node() *axis {
	a.t.Helper()
	store, err := storage.Open(context.Background(), storage.Config{DSN: a.dsn, Objects: a.objects, Conns: 8})
	check(a.t, err)
	config := a.Config
	config.Node, config.Store = "second", store
	b := &axis{t: a.t, dsn: a.dsn, objects: a.objects, now: a.clock()}
	b.Server, err = New(context.Background(), config)
	check(a.t, err)
	b.http = httptest.NewServer(b.Handler())
	b.url = b.http.URL
	b.Start(context.Background())
	a.t.Cleanup(func() {
		b.Drain()
		b.http.Close()
		b.Stop()
		store.Close()
	})
	return b
}

// FuzzRegisterAgency: whatever a body holds, it is judged without a panic, and what is let through is within what the hub
// manages and fit for the directory.
func FuzzRegisterAgency(f *testing.F) {
	agencies := append(slices.Clone(testAgencies),
		routing.Agency{Code: "H26.5", Name: "Quận Năm", Status: routing.Live}, routing.Agency{Code: "H26.6", Name: "Quận Sáu", Status: routing.Closed},
		routing.Agency{Code: "H26.7", OldCode: "000.00.07.H26", Name: "Sở Bảy", Status: routing.Closed, Decision: storage.ClosedBy("H26")})
	hub := &caller{System: storage.System{ID: "H26", Serves: []routing.Serving{{System: "H26", Code: "H26", Subtree: true}}}}
	d := routing.NewDirectory(1, agencies, []routing.Serving{{System: "H26", Code: "H26", Subtree: true}, {System: "nested", Code: "H26.5", Subtree: true}})
	for _, body := range []string{
		`{"id":"","pcode":"H26","code":"H26.8","name":"Sở Tám","mail":"a@b","mobile":"1","fax":"2"}`,
		`{"pcode":"000.00.00.H26","code":"000.00.08.H26","name":"Sở Tám"}`, `{"code":"H26.7","name":"sở bảy"}`, `{"code":"H26.5.1","name":"a"}`,
		`{"code":"H26","pcode":"H26.8","name":"a"}`, `{"code":7,"name":null}`, `{"code":"H26.6","name":"Quận Sáu"}`, "\xef\xbb\xbf{}\r\n", `{"code":"000.00.00.H26"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		given, err := readRegistration(body)
		if err != nil {
			return
		}
		r, err := given.judge(d, hub)
		if err != nil {
			if _, ok := err.(*Problem); !ok {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		if c, err := routing.ParseCode(string(r.Agency.Code)); err != nil || c != r.Agency.Code {
			t.Fatalf("code %q", r.Agency.Code)
		}
		within := strings.HasPrefix(string(inTree(r.Agency.Code)), "H26.") || r.Agency.Code == "H26"
		if was := r.Was.Code; !within || was == "" && r.Agency.Parent == "" || was != "" && (was != r.Agency.Code || !d.Manages("H26", was)) {
			t.Fatalf("%+v", r)
		}
		if n := utf8.RuneCountInString(r.Agency.Name); n == 0 || n > 200 || r.Was.Status == routing.Closed && r.Was.Code != "H26.7" {
			t.Fatalf("%+v", r)
		}
		if p := r.Agency.Parent; p != "" && !d.Manages("H26", p) {
			t.Fatalf("under %s", p)
		}
	})
}
