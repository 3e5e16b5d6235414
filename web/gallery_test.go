package web

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/server"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

var update = flag.Bool("update", false, "write the golden pages anew")

// galleryNow is when every page of the gallery was made.
var galleryNow = time.Date(2026, 11, 21, 14, 3, 5, 0, storage.Vietnam)

// picture is one page in one state. The same list serves the golden pages, the screenshots and axe.
type picture struct {
	name, template string
	title          phrase
	who            storage.Role
	english        bool
	body           any
}

const (
	probe    = `"><script>alert(1)</script><img src=x onerror=alert(1)>'`
	longName = "Ban Quản lý dự án đầu tư xây dựng các công trình giao thông và nông nghiệp kiêm Văn phòng điều phối chương trình mục tiêu quốc gia xây dựng nông thôn mới khu vực Đồng bằng sông Cửu Long"
)

func galleryDirectory() *routing.Directory {
	return routing.NewDirectory(1, append(testAgencies(),
		routing.Agency{Code: "H29.99", Name: longName, Parent: "H29", Status: routing.Live},
		routing.Agency{Code: "H29.98", Name: probe, Parent: "H29", Status: routing.Live}), nil)
}

func galleryViewer(r storage.Role) *viewer {
	if r == "" {
		return nil
	}
	v := &viewer{User: storage.User{Name: "van.thu.so.y.te", Role: r}, directory: galleryDirectory()}
	if r == storage.Clerk || r == storage.Administrator {
		v.Agencies = []routing.Code{"H29.12"}
	}
	return v
}

// id makes a fixed id; n tells them apart.
func galleryID(n byte) uuid.UUID {
	id := uuid.MustParse("019aa5e0-0000-7000-8000-000000000000")
	id[15] = n
	return id
}

func galleryLine(n byte, u routing.Urgency, states map[storage.State]int) storage.SentLine {
	return storage.SentLine{First: "H26", DispatchLine: storage.DispatchLine{ID: galleryID(n), Sender: "H29.12", DocumentID: "H29.12-2026-000123", Number: number(int(n)),
		Notation: "SYT-VP", Promulgated: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), TypeName: "Công văn", Urgency: u, Verdict: signing.Valid,
		Subject: "V/v tăng cường phòng, chống dịch bệnh mùa đông xuân 2026–2027", AcceptedAt: galleryNow.Add(-time.Duration(n) * time.Hour), States: states}}
}

func galleryFilter(faces []face) filter {
	return filter{From: startOfDay(galleryNow).AddDate(0, 0, -listDays), faces: faces}
}

func sentList(lines ...storage.SentLine) listPage {
	p := listPage{filter: galleryFilter(sentFaces), Path: "/sent", Newest: "/sent?", Several: true,
		Agencies: []named{{Code: "H29.12", Name: "Sở Y tế Thành phố Hồ Chí Minh"}, {Code: "H29.99", Name: longName}, {Code: "H29.98", Name: probe}}}
	for _, l := range lines {
		p.Sent = append(p.Sent, newSentRow(l, galleryDirectory()))
	}
	return p
}

func receivedList(lines ...storage.ReceivedLine) listPage {
	p := listPage{filter: galleryFilter(receivedFaces), Path: "/received", Newest: "/received?"}
	for _, l := range lines {
		p.Received = append(p.Received, receivedRow{l, nameOf(galleryDirectory(), l.Sender), nameOf(galleryDirectory(), l.Agency)})
	}
	return p
}

func received(n byte, status storage.Status) storage.ReceivedLine {
	l := storage.ReceivedLine{DeliveryID: storage.DeliveryID{Dispatch: galleryID(n), N: 1}, AddressedTo: "H29.12", Agency: "H29.12", State: storage.Delivered, StateAt: galleryNow,
		Status: status, DispatchLine: galleryLine(n, routing.Normal, nil).DispatchLine}
	l.Sender = "G22"
	return l
}

func manyLines() []storage.SentLine {
	states := []map[storage.State]int{{storage.Delivered: 1}, {storage.Pending: 2, storage.Delivered: 1}, {storage.Delivered: 3318, storage.Refused: 2, storage.Expired: 1},
		{storage.Held: 1}, {storage.Recalled: 1}}
	var list []storage.SentLine
	for i := range pageLines {
		l := galleryLine(byte(i+1), routing.Urgency(i%4), states[i%len(states)])
		l.Returned = i % 7 / 6
		l.Kind = storage.Kind(i % 9 / 8)
		list = append(list, l)
	}
	return list
}

// galleryView is a document with a recipient in every state.
func galleryView(role storage.Role) dispatchView {
	line := galleryLine(7, routing.Express, nil)
	v := dispatchView{viewer: galleryViewer(role), now: galleryNow, states: map[storage.State]int{}, statuses: map[storage.Status]int{},
		attempts: map[int][]storage.Attempt{}, receipts: map[int][]storage.Receipt{}}
	v.choice.path = "/dispatches/" + galleryID(7).String()
	v.sender = true
	v.Dispatch = storage.Dispatch{ID: line.ID, Sender: "H29.12", DocumentID: line.DocumentID, Number: "05", Notation: "CĐ-SYT", Promulgated: line.Promulgated,
		TypeName: "Công điện", Subject: line.Subject, Urgency: routing.Express, Form: "native", Verdict: signing.Invalid, AcceptedAt: galleryNow.Add(-26 * time.Hour),
		FirstPart: []byte(`{"signer":{"name":"Nguyễn Văn Thử","position":"Giám đốc","competence":"KT."},"due_date":"2026-12-01","paper":true,"page_amount":2,
			"to_places":["Như trên","Lưu: VT"],"references":[{"agency":"G22","number_notation":"1/VPCP-KGVX","document_id":"G22-2026-1"}]}`),
		HeldFor: "Nội dung đã bị thay đổi sau khi ký (cong-dien.pdf)", HeldBy: "operator",
		Attachments: []storage.Attachment{{N: 1, Name: "cong-dien.pdf", MediaType: "application/pdf", Object: storage.Object{Size: 1_234_567}, Verdict: signing.Invalid},
			{N: 2, Name: "phu-luc.pdf", MediaType: "application/pdf", Object: storage.Object{Size: 42_000}, Verdict: signing.Unsigned}},
		Report: signing.Report{Verdict: signing.Invalid, Files: []signing.FileReport{
			{Name: "cong-dien.pdf", Verdict: signing.Invalid, Signatures: []signing.SignatureReport{
				{Number: 1, Verdict: signing.Invalid, Reasons: []signing.Reason{signing.DigestMismatch}, After: signing.AfterChanged, Signer: "Sở Y tế Thành phố Hồ Chí Minh",
					Issuer: "TEST Issuing CA", Test: true, Time: galleryNow, TimeSource: signing.TimeFromReception, Claimed: galleryNow.Add(-time.Hour)},
				{Number: 2, Verdict: signing.Valid, After: signing.AfterNothing, Signer: "Nguyễn Văn Thử", Time: galleryNow, TimeSource: signing.TimeFromTimestamp, Authority: "TEST TSA"}}},
			{Name: "phu-luc.pdf", Verdict: signing.Unsigned, Reasons: []signing.Reason{signing.NoSignature}}}},
	}
	for i, state := range []storage.State{storage.Delivered, storage.Pending, storage.Refused, storage.Expired, storage.Held, storage.Recalled} {
		dl := storage.Delivery{DeliveryID: storage.DeliveryID{Dispatch: v.ID, N: i + 1}, AddressedTo: "H26", Agency: "H26", System: "H26", Way: routing.Push,
			State: state, StateAt: galleryNow.Add(-25 * time.Hour), Due: galleryNow.Add(30 * time.Minute)}
		if state == storage.Refused || state == storage.Expired || state == storage.Held {
			dl.Owner, dl.Deadline, dl.Reason = "sender", galleryNow.Add(-time.Hour), "410 Gone: cong-dien.pdf"
		}
		v.deliveries = append(v.deliveries, dl)
		v.states[state]++
	}
	v.deliveries[0].Status, v.deliveries[0].StatusAt = storage.Returned, galleryNow.Add(-24*time.Hour)
	v.deliveries[1].AddressedTo, v.deliveries[1].Agency = "000.00.12.H29", "H29.99"
	v.statuses[storage.Returned], v.statuses[""] = 1, 5
	v.receipts[1] = []storage.Receipt{{DeliveryID: v.deliveries[0].DeliveryID, K: 1, Status: storage.Returned, Agency: "H26", Reason: "Sai thẩm quyền: đề nghị gửi Sở Y tế",
		Staff: storage.Staff{Name: "Trần Thị Tiếp Nhận", Department: "Văn thư", Phone: "024 0000 0000", Email: "tiepnhan@example.vn"}, ArrivalNumber: "15", EventTime: galleryNow.Add(-24 * time.Hour)}}
	v.attempts[2] = []storage.Attempt{{K: 1, StartedAt: galleryNow.Add(-25 * time.Hour), EndedAt: galleryNow, Outcome: storage.Later, Detail: "503: cong-dien.pdf, hệ thống đang bảo trì"}, {K: 2, StartedAt: galleryNow}}
	return v
}

// probed puts a probe into every field that a stranger fills.
func probed() dispatchView {
	v := galleryView(storage.Clerk)
	d := &v.Dispatch
	d.DocumentID, d.Number, d.Notation, d.TypeName, d.Subject, d.HeldFor, d.Sender = probe, probe, probe, probe, probe, probe, "H29.98"
	d.FirstPart = []byte(`{"signer":{"name":"<script>alert(1)</script>","position":"<img onerror=alert(1)>","competence":"<b>"},"content":"<script>alert(1)</script>","reason":"<script>",
		"to_places":["<script>alert(1)</script>"],"references":[{"agency":"<script>","number_notation":"<script>","document_id":"<script>"}]}`)
	for i := range d.Attachments {
		d.Attachments[i].Name, d.Attachments[i].MediaType = probe, probe
	}
	for i := range d.Report.Files[0].Signatures {
		s := &d.Report.Files[0].Signatures[i]
		s.Signer, s.Issuer, s.Organization, s.Authority, s.Family, s.Reasons = probe, probe, probe, probe, probe, []signing.Reason{probe}
	}
	d.Report.Files[1].Reasons = []signing.Reason{probe}
	for i := range v.deliveries {
		v.deliveries[i].Reason, v.deliveries[i].AddressedTo, v.deliveries[i].System, v.deliveries[i].Owner, v.deliveries[i].Agency = probe, probe, probe, probe, "H29.98"
	}
	v.receipts[1][0].Reason, v.receipts[1][0].ArrivalNumber = probe, probe
	v.receipts[1][0].Staff = storage.Staff{Name: probe, Department: probe, Phone: probe, Email: probe}
	v.attempts[2][0].Detail, v.attempts[2][0].Node = probe, probe
	v.warnings = []server.Problem{{Code: probe, Field: probe, VI: probe, EN: probe}}
	other := relation{storage.DispatchLine{ID: galleryID(8), DocumentID: probe, Number: probe, Notation: probe}, laterSays[storage.Update]}
	v.relations = relations{Originals: []relation{other}, Later: []relation{other}, Twins: []relation{other}}
	return v
}

func gallery() []picture {
	oneDelivered := galleryLine(1, routing.Normal, map[storage.State]int{storage.Delivered: 1})
	long, bad := galleryLine(2, routing.VeryUrgent, map[storage.State]int{storage.Pending: 1}), galleryLine(3, routing.Normal, map[storage.State]int{storage.Pending: 1})
	long.Sender, long.First, long.Subject = "H29.99", "H29.99", strings.Repeat(longName+" ", 3)
	bad.Sender, bad.First, bad.Subject, bad.TypeName, bad.Number, bad.Notation, bad.DocumentID = "H29.98", "<script>", probe, probe, probe, probe, probe
	narrowed, older := sentList(), sentList(manyLines()...)
	narrowed.Text, narrowed.State = probe, storage.FaceHeld
	mistyped := sentList()
	mistyped.readDays("31/02/2026", probe, galleryNow)
	older.Older = "/sent?before=" + galleryID(50).String()
	atHome := func(sent, got map[storage.Face]int) homePage {
		from := startOfDay(galleryNow).AddDate(0, 0, -homeDays)
		return homePage{From: from, Tiles: tiles(sent, got, from)}
	}
	plain := galleryView(storage.Clerk)
	plain.deliveries, plain.states, plain.statuses = plain.deliveries[:1], map[storage.State]int{storage.Delivered: 1}, map[storage.Status]int{storage.Returned: 1}
	mine := plain
	mine.sender = false
	releaseOf := func(fault phrase) releasePage {
		return releasePage{dispatchPage: galleryView(storage.Administrator).page(), Fault: fault}
	}
	all := func(role storage.Role) dispatchPage { return galleryView(role).page() }
	failed := failures[0].page
	down := unavailable
	down.ID, down.Retry = "0123456789ab", "/sent"
	faces := map[storage.Face]int{storage.FacePending: 12, storage.FaceFailed: 1000, storage.FaceHeld: 0, storage.FaceReturned: 2}
	return append([]picture{
		{"sign-in", "sign-in", signInTitle, "", false, signInPage{Next: "/"}},
		{"sign-in-refused", "sign-in", signInTitle, "", false, signInPage{Name: probe, Next: "/sent", Fault: signInRefused}},
		{"password-one-time", "password", passwordTitle, storage.Clerk, false, passwordPage{OneTime: true, Shortest: 14}},
		{"home", "home", homeTitle, storage.Clerk, false, atHome(faces, map[storage.Face]int{storage.FaceWaiting: 3})},
		{"home-english", "home", homeTitle, storage.Clerk, true, atHome(faces, map[storage.Face]int{storage.FaceWaiting: 3})},
		{"home-alarms", "home", homeTitle, storage.Operator, false, homePage{From: startOfDay(galleryNow), Tiles: tiles(faces, nil, startOfDay(galleryNow)), Trust: []server.Alarm{
			{Code: "list_stale", Subject: "CN=CA thử nghiệm,O=Cơ quan thử", VI: "Danh sách thu hồi đã quá hạn từ 07:00 20/11/2026", EN: "The revocation list is out of date since 07:00 20/11/2026"},
			{Code: "expiring", Subject: "CN=TEST Root CA", Days: 30, VI: "Chứng thư số sắp hết hạn, ngày 10/12/2026", EN: "The certificate ends on 10/12/2026"}}}},
		{"home-empty", "home", homeTitle, storage.Clerk, false, homePage{Empty: true}},
		{"home-authority", "home", homeTitle, storage.Authority, false, homePage{}},
		{"sent-empty", "sent", sentTitle, storage.Clerk, false, sentList()},
		{"sent-narrowed", "sent", sentTitle, storage.Clerk, false, narrowed},
		{"sent-mistyped", "sent", sentTitle, storage.Clerk, false, mistyped},
		{"sent-one", "sent", sentTitle, storage.Clerk, false, sentList(oneDelivered)},
		{"sent-many", "sent", sentTitle, storage.Clerk, false, older},
		{"sent-many-english", "sent", sentTitle, storage.Clerk, true, older},
		{"sent-operator", "sent", sentTitle, storage.Operator, false, sentList(manyLines()[:5]...)},
		{"sent-long-names", "sent", sentTitle, storage.Clerk, false, sentList(long)},
		{"sent-probes", "sent", sentTitle, storage.Clerk, false, sentList(bad)},
		{"received-empty", "received", receivedTitle, storage.Clerk, false, receivedList()},
		{"received-many", "received", receivedTitle, storage.Clerk, false, receivedList(received(1, ""), received(2, storage.Arrived), received(3, storage.Registered), received(4, storage.Returned), received(5, storage.RecallAsked))},
		{"dispatch-one", "dispatch", plain.page().Title(nil), storage.Clerk, false, plain.page()},
		{"dispatch-recipient", "dispatch", plain.page().Title(nil), storage.Clerk, false, mine.page()},
		{"dispatch-every-state", "dispatch", plain.page().Title(nil), storage.Administrator, false, all(storage.Administrator)},
		{"dispatch-every-state-english", "dispatch", plain.page().Title(nil), storage.Administrator, true, all(storage.Administrator)},
		{"dispatch-operator", "dispatch", plain.page().Title(nil), storage.Operator, false, all(storage.Operator)},
		{"dispatch-packet", "dispatch", plain.page().Title(nil), storage.Clerk, false, packetView(storage.Clerk).page()},
		{"dispatch-packet-english", "dispatch", plain.page().Title(nil), storage.Clerk, true, packetView(storage.Clerk).page()},
		{"dispatch-packet-operator", "dispatch", plain.page().Title(nil), storage.Operator, false, packetView(storage.Operator).page()},
		{"dispatch-given-back", "dispatch", plain.page().Title(nil), storage.Clerk, false, givenBack().page()},
		{"dispatch-probes", "dispatch", probed().page().Title(nil), storage.Clerk, false, probed().page()},
		{"release", "release", releaseTitle, storage.Administrator, false, releaseOf(phrase{})},
		{"release-no-reason", "release", releaseTitle, storage.Administrator, false, releaseOf(phrase{"Hãy ghi lý do: lý do được lưu vào nhật ký.", ""})},
		{"failure-forbidden", "failure", failed.Title, storage.Clerk, false, failed},
		{"failure-unavailable", "failure", down.Title, storage.Clerk, false, down},
	}, append(strayPictures(), verificationPictures()...)...)
}

func (p picture) render(t testing.TB, pages templates) []byte {
	t.Helper()
	l := vietnamese
	if p.english {
		l = english
	}
	shown := page{Title: p.title, Viewer: galleryViewer(p.who), Path: "/sent", Here: "/sent", Test: true, Now: galleryNow, Body: p.body}
	if list, ok := p.body.(straysPage); ok {
		shown.Path, shown.Here, shown.Strays = "/strays", "/strays", len(list.Strays)*3
	}
	return must[[]byte](t)(pages.render(l, p.template, shown))
}

func galleryPages(t testing.TB) templates {
	t.Helper()
	return must[templates](t)(loadTemplates(must[*staticFiles](t)(loadStatic())))
}

// hashes are what the names of static files hold of their content: a change of colour is not one of every page.
var hashes = regexp.MustCompile(`\.[0-9a-f]{12}\.`)

// TestGallery compares every page in every state with its golden form. After a change that is meant:
// go test ./web -run Gallery -update, and read the diff.
func TestGallery(t *testing.T) {
	t.Parallel()
	pages := galleryPages(t)
	for _, p := range gallery() {
		got := hashes.ReplaceAll(p.render(t, pages), []byte("."))
		file := filepath.Join("testdata", "gallery", p.name+".html")
		if *update {
			check(t, os.MkdirAll(filepath.Dir(file), 0o755))
			check(t, os.WriteFile(file, got, 0o644))
			continue
		}
		if want := must[[]byte](t)(os.ReadFile(file)); string(got) != string(want) {
			t.Errorf("%s differs from %s", p.name, file)
		}
	}
}

// TestProbesComeOutAsText looks for what a stranger's field would have to become to run.
func TestProbesComeOutAsText(t *testing.T) {
	t.Parallel()
	pages := galleryPages(t)
	for _, p := range gallery() {
		html := string(p.render(t, pages))
		for _, live := range []string{"<script", "<img", "<b>", "javascript:"} {
			if strings.Contains(html, live) {
				t.Errorf("%s: %q is live", p.name, live)
			}
		}
	}
}

// TestOperatorsPagesHoldNoContent renders what the roles without content see and looks for content (R102).
func TestOperatorsPagesHoldNoContent(t *testing.T) {
	t.Parallel()
	pages := galleryPages(t)
	for _, p := range gallery() {
		if p.who != storage.Operator && p.who != storage.Auditor {
			continue
		}
		html := string(p.render(t, pages))
		for _, secret := range []string{"dịch bệnh", "cong-dien.pdf", "phu-luc.pdf", "Nguyễn Văn Thử", "Trần Thị", "Sai thẩm quyền", "Lưu: VT", "1/VPCP"} {
			if strings.Contains(html, secret) {
				t.Errorf("%s shows %q", p.name, secret)
			}
		}
	}
}
