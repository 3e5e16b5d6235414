package web

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/storage"
)

// stray keeps a status of Hà Nội that fits nothing, received n seconds ago, and returns its id.
func (w *world) stray(n int, cause storage.Cause) uuid.UUID {
	w.t.Helper()
	at := time.Now().Add(-time.Duration(n) * time.Second)
	id, _, err := w.store.AddStray(w.t.Context(), storage.Stray{System: "H26", Agency: "H26", Other: "000.00.12.H29", DocumentID: fmt.Sprintf("H29.12-2026-%03d", n),
		Status: storage.Returned, Reason: "Gửi nhầm đơn vị", Cause: cause, EventTime: at.Add(-time.Hour), ReceivedAt: at, Packet: fmt.Appendf(nil, "<edXML>%d</edXML>", n)}, "127.0.0.1")
	check(w.t, err)
	return id
}

func TestStrayStatuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	operator, auditor := w.signIn("van.hanh"), w.signIn("kiem.tra")
	operator.get("/").want(t, 200, `href="/strays"`).lacks(t, `class="count"`)
	operator.get("/strays").want(t, 200, "Không có trạng thái nào chờ xem")
	first, second := w.stray(2, storage.NoDocument), w.stray(1, storage.WrongState)
	for _, p := range []*person{operator, auditor} {
		p.get("/sent").want(t, 200, `<span class="count">2<`)
		list := p.get("/strays").want(t, 200, "H29.12-2026-001", "H29.12-2026-002", "UBND thành phố Hà Nội", "Sở Y tế Thành phố Hồ Chí Minh", "000.00.12.H29", "02 – Từ chối tiếp nhận",
			"Gửi nhầm đơn vị", "không gửi văn bản nào mang mã này", "đang giữ hoặc đã lấy lại", "sự kiện lúc", `aria-current="page"`)
		if strings.Index(list.body, "H29.12-2026-001") > strings.Index(list.body, "H29.12-2026-002") {
			t.Error("the newest does not come first")
		}
	}
	auditor.get("/strays").lacks(t, "<form method=\"post\" action=\"/strays", "Xác nhận")
	w.signIn("van.thu").get("/").want(t, 200).lacks(t, "/strays")

	path := "/strays/" + first.String() + "/close"
	auditor.do("POST", path, url.Values{}).want(t, 403)
	operator.do("POST", path, url.Values{}, "Sec-Fetch-Site", "cross-site").want(t, 403, "từ một trang khác")
	operator.get("/strays").want(t, 200, "H29.12-2026-002", path)
	done := operator.do("POST", path, url.Values{}).want(t, 303)
	operator.get(done.Header.Get("Location")).want(t, 200, "Đã ghi nhận là đã xem xét", "H29.12-2026-001", `<span class="count">1<`).lacks(t, "H29.12-2026-002")
	operator.do("POST", path, url.Values{}).want(t, 409, "Không có gì thay đổi", "H29.12-2026-001")
	operator.do("POST", "/strays/"+uuid.NewString()+"/close", url.Values{}).want(t, 409, "Không có gì thay đổi")
	operator.do("POST", "/strays/x/close", url.Values{}).want(t, 404)
	all := auditor.get("/strays?all=1").want(t, 200, "H29.12-2026-001", "H29.12-2026-002", "van.hanh", "Chờ đơn vị vận hành")
	all.lacks(t, "Xác nhận")
	operator.do("POST", "/strays/"+second.String()+"/close?all=1", url.Values{}).want(t, 303)
	operator.get("/strays").want(t, 200, "Không có trạng thái nào chờ xem").lacks(t, `class="count"`)
	broken, lines, err := w.store.CheckAudit(t.Context())
	check(t, err)
	if broken != 0 {
		t.Errorf("audit broken at %d of %d", broken, lines)
	}
}

func TestOlderPagesOfStrays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := map[int]uuid.UUID{}
	for n := pageLines + 3; n > 0; n-- {
		ids[n] = w.stray(n, storage.NoDelivery)
	}
	p := w.signIn("van.hanh")
	first := p.get("/strays").want(t, 200, "H29.12-2026-050", `<span class="count">53<`).lacks(t, "H29.12-2026-051", "Mới nhất")
	if !strings.Contains(first.body, "/strays?before="+ids[pageLines].String()) {
		t.Fatal("no older page")
	}
	older := "/strays?before=" + ids[pageLines].String()
	p.get(older).want(t, 200, "H29.12-2026-051", "H29.12-2026-053", "Mới nhất").lacks(t, "H29.12-2026-050", "Cũ hơn")
	done := p.do("POST", "/strays/"+ids[52].String()+"/close?before="+ids[pageLines].String(), url.Values{}).want(t, 303).Header.Get("Location")
	if done != older+"&done=closed" {
		t.Errorf("goes on to %s, not to the page it came from", done)
	}
	p.get(done).want(t, 200, "H29.12-2026-051", "H29.12-2026-053").lacks(t, "H29.12-2026-052")
	p.get("/strays?before="+ids[pageLines+3].String()).want(t, 200, "Không còn trạng thái nào cũ hơn")
	for _, bad := range []string{"before=x", "before=" + strings.Repeat("0", 36), "before={" + ids[1].String() + "}"} {
		p.get("/strays?"+bad).want(t, 400, "Địa chỉ không đọc được")
	}
}
