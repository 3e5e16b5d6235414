package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/storage"
)

func mustID(t testing.TB, s string) uuid.UUID { return must[uuid.UUID](t)(uuid.Parse(s)) }

// wait asks until it is so; what it waits for happens in the node's own loops.
func (w *world) wait(so func() bool) {
	w.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(20 * time.Second)
	for !so() {
		select {
		case <-tick.C:
		case <-end:
			w.t.Fatal("it did not happen in 20 s")
		}
	}
}

func TestClerkOfTheSenderFindsEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.story()
	p := w.signIn("van.thu")
	p.get("/").want(t, 200, "Tổng quan", "Gửi lỗi", "Bị trả lại", "MÔI TRƯỜNG THỬ NGHIỆM")
	list := p.get("/sent").want(t, 200, "123/SYT-VP", "124/SYT-VP", "05/CĐ-SYT", "HỎA TỐC", "Bị trả lại", "và 149 nơi khác", "20/11/2026")
	list.lacks(t, "88/SNV-TCCB")
	p.get("/sent?state=failed").want(t, 200, "123/SYT-VP").lacks(t, "124/SYT-VP")
	p.get("/sent?state=returned").want(t, 200, "124/SYT-VP").lacks(t, "123/SYT-VP")
	p.get("/sent?urgency=express").want(t, 200, "05/CĐ-SYT").lacks(t, "124/SYT-VP")
	p.get("/sent?q=TIEM+chung").want(t, 200, "124/SYT-VP").lacks(t, "123/SYT-VP")
	p.get("/sent?q=%25").want(t, 200, "không có văn bản nào khớp"[1:]) // % is a sign like any other
	p.get("/sent?agency=H29.13").want(t, 200).lacks(t, "88/SNV-TCCB")
	p.get("/sent?from=2020-01-01&to=2020-12-31").want(t, 200, "Không có văn bản nào")

	one := p.get("/dispatches/"+s.plain).want(t, 200, "tăng cường phòng, chống dịch bệnh", "Công văn số 123.pdf", "Nguyễn Văn Thử", "01/12/2026", "Kèm bản giấy",
		"UBND thành phố Hà Nội", "Hệ thống từ chối", "chưa lấy về", "Giấy xác nhận", "Chữ ký số hợp lệ")
	one.lacks(t, "Cho văn bản đi tiếp")
	p.get("/dispatches/"+s.returned).want(t, 200, "Từ chối tiếp nhận", "Sai thẩm quyền", "Trần Thị Tiếp Nhận", "Đơn vị gửi")

	first := p.get("/dispatches/"+s.urgent).want(t, 200, "100 trong 150 nơi nhận", "UBND xã Thử Nghiệm 100")
	first.lacks(t, "Thử Nghiệm 101<")
	p.get("/dispatches/"+s.urgent+"?after=100").want(t, 200, "UBND xã Thử Nghiệm 101", "50 trong 150")
	p.get("/dispatches/"+s.urgent+"?state=held").want(t, 200, "Không có nơi nhận nào ở trạng thái này")
}

func TestRecipientSeesOnlyItsOwnSide(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.story()
	p := w.signIn("van.thu.hanoi")
	p.get("/received").want(t, 200, "123/SYT-VP", "124/SYT-VP", "Sở Y tế").lacks(t, "05/CĐ-SYT", "88/SNV-TCCB")
	p.get("/sent").want(t, 200).lacks(t, "123/SYT-VP")
	p.get("/received?state=waiting").want(t, 200, "123/SYT-VP").lacks(t, "124/SYT-VP")
	for _, path := range []string{"/deliveries/" + s.plain + ".1", "/dispatches/" + s.plain} {
		p.get(path).want(t, 200, "UBND thành phố Hà Nội", "Công văn số 123.pdf").lacks(t, "Văn phòng Chính phủ", "H01.151", "Giấy xác nhận")
	}
	for _, path := range []string{"/deliveries/" + s.plain + ".2", "/deliveries/" + s.held + ".1", "/dispatches/" + s.urgent, "/dispatches/" + s.held,
		"/dispatches/" + s.plain + "/proof", "/dispatches/" + s.plain + "/attachments/1", "/deliveries/" + s.plain + ".2/attachments/1"} {
		p.get(path).want(t, 404)
	}
	file := p.get("/deliveries/"+s.plain+".1/attachments/1").want(t, 200, "%PDF")
	if got := file.Header.Get("Content-Disposition"); !strings.HasPrefix(got, "attachment") {
		t.Errorf("disposition %q", got)
	}
	if got := file.Header.Get("Content-Security-Policy"); !strings.Contains(got, "sandbox") {
		t.Errorf("policy %q", got)
	}
	dl := must[storage.Delivery](t)(w.store.Delivery(t.Context(), storage.DeliveryID{Dispatch: mustID(t, s.plain), N: 1}))
	if dl.ToldAt.IsZero() {
		t.Error("a file was read and a recall would not know it")
	}
}

func TestOperatorSeesStatesAndNoContent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.story()
	for _, name := range []string{"van.hanh", "kiem.tra"} {
		p := w.signIn(name)
		p.get("/sent").want(t, 200, "123/SYT-VP", "88/SNV-TCCB").lacks(t, "dịch bệnh", "biên chế")
		p.get("/sent?q=bien+che").want(t, 200).lacks(t, "88/SNV-TCCB")
		p.get("/sent?q=SNV-TCCB").want(t, 200, "88/SNV-TCCB")
		p.get("/received?agency=H26").want(t, 200, "123/SYT-VP").lacks(t, "dịch bệnh")
		p.get("/dispatches/"+s.held).want(t, 200, "Đang giữ", "tệp 1").lacks(t, "biên chế", "Bí mật tên tệp", "Nguyễn Văn Thử")
		p.get("/dispatches/"+s.returned).want(t, 200, "Từ chối tiếp nhận").lacks(t, "Trần Thị", "0240000000", "Sai thẩm quyền", "bao-cao.pdf")
		p.get("/dispatches/"+s.plain+"/attachments/1").want(t, 403)
		p.get("/dispatches/"+s.plain+"/proof").want(t, 403)
	}
}

func TestReleaseOfAHeldDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.story()
	path := "/dispatches/" + s.held + "/release"
	w.signIn("van.thu").do("POST", path, url.Values{"reason": {"x"}}).want(t, 403)
	w.signIn("kiem.tra").do("POST", path, url.Values{"reason": {"x"}}).want(t, 403)
	p := w.signIn("quan.tri")
	p.get("/dispatches/"+s.held).want(t, 200, "Đang giữ tại trục", "Cho văn bản đi tiếp", "Bí mật tên tệp.pdf", "Đơn vị vận hành trục")
	p.get(path).want(t, 200, "không hoàn tác được", "rà soát biên chế")
	p.do("POST", path, url.Values{"reason": {"  "}}).want(t, 422, "Hãy ghi lý do")
	p.do("POST", path, url.Values{"reason": {"Đã đối chiếu bản giấy với đơn vị gửi"}}).want(t, 303)
	p.get("/dispatches/"+s.held+"?done=released").want(t, 200, "Đã cho văn bản đi tiếp").lacks(t, "Đang giữ tại trục")
	p.do("POST", path, url.Values{"reason": {"lần nữa"}}).want(t, 409, "không còn bị giữ")
	w.signIn("van.thu.hanoi").get("/received").want(t, 200, "88/SNV-TCCB")
	broken, lines, err := w.store.CheckAudit(t.Context())
	check(t, err)
	if broken != 0 {
		t.Errorf("audit broken at %d of %d", broken, lines)
	}
}

func TestOlderPagesOfAList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range pageLines + 3 {
		one := letter("M-"+number(i), "H01.151")
		one["number"] = number(i + 1)
		w.submit("H29.12", one, "a.pdf", must[[]byte](t)(signedPDF()))
	}
	for _, c := range []struct{ name, path, last string }{{"van.thu", "/sent", ">1/SYT-VP<"}, {"van.hanh", "/received", ">1/SYT-VP<"}} {
		p := w.signIn(c.name)
		first := p.get(c.path+"?state=&urgency=").want(t, 200, ">53/SYT-VP<", ">4/SYT-VP<").lacks(t, ">3/SYT-VP<")
		_, rest, ok := strings.Cut(first.body, `before=`)
		if !ok {
			t.Fatal("no older page")
		}
		mark, _, _ := strings.Cut(rest, "&")
		p.get(c.path+"?before="+mark).want(t, 200, ">3/SYT-VP<", c.last, "Mới nhất").lacks(t, ">4/SYT-VP<", "Cũ hơn")
	}
}

func TestBadAddressesAreSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.signIn("van.thu")
	for _, path := range []string{"/sent?state=x", "/sent?urgency=x", "/sent?before=x", "/sent?q=%ff", "/sent?q=%00", "/received?state=held"} {
		p.get(path).want(t, 400, "Địa chỉ không đọc được")
	}
	p.get("/sent?from=31%2F2%2F2026").want(t, 400, "ngày/tháng/năm, ví dụ", `value="31/2/2026"`)
	p.get("/received?from=2026-11-21&to=2026-11-01").want(t, 400, "sớm hơn ngày bắt đầu")
	p.get("/sent?from=1%2F2%2F2026&to=28%2F02%2F2026").want(t, 200, `value="01/02/2026"`, `value="28/02/2026"`)
	for _, path := range []string{"/nothing", "/dispatches/x", "/dispatches/" + strings.Repeat("0", 36), "/deliveries/x", "/static/x", "/static/style.css"} {
		p.get(path).want(t, 404)
	}
	p.get("/dispatches/"+uuid.NewString()+"?state=x").want(t, 404)
	p.do("GET", "/nothing", nil, "Cookie", langCookie+"=en").want(t, 404, "Not found")
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.signIn("van.thu")
	css := must[string](t)(w.site.static.url("style.css"))
	for _, path := range []string{"/", "/sent", "/nothing", css, "/sign-in"} {
		h := p.get(path).Header
		if got := h.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'") {
			t.Errorf("%s: policy %q", path, got)
		}
		for _, name := range []string{"X-Content-Type-Options", "Referrer-Policy", "Permissions-Policy", "Cache-Control"} {
			if h.Get(name) == "" {
				t.Errorf("%s: no %s", path, name)
			}
		}
		want := "no-store"
		if path == css {
			want = "public, max-age=31536000, immutable"
		}
		if got := h.Get("Cache-Control"); got != want {
			t.Errorf("%s: cache %q, want %q", path, got, want)
		}
	}
	page := p.get("/sent")
	for _, foreign := range []string{"http://", "https://", "<script", "style=", "onclick"} {
		page.lacks(t, foreign)
	}
}

func TestPagesAreSmall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.story()
	p := w.signIn("van.thu")
	total := 0
	for name := range w.site.static.served {
		one := w.site.static.served[name]
		if strings.HasSuffix(name, ".txt") {
			continue
		}
		if one.gzipped != nil {
			total += len(one.gzipped)
		} else {
			total += len(one.body)
		}
	}
	page := p.do("GET", "/dispatches/"+s.urgent, nil, "Accept-Encoding", "gzip")
	if page.Header.Get("Content-Encoding") != "gzip" {
		t.Fatal("not compressed")
	}
	total += len(page.body)
	t.Logf("the largest page with style and fonts: %d bytes compressed, of them the page %d", total, len(page.body))
	if total > 150_000 {
		t.Errorf("%d bytes", total)
	}
	if http.StatusOK != page.StatusCode {
		t.Error(page.Status)
	}
}

// TestWhenTheDatabaseIsAway: the answer says to try again, and the style sheet still comes.
func TestWhenTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.person()
	a := httptest.NewRecorder()
	w.site.fail(&request{Request: httptest.NewRequestWithContext(t.Context(), "GET", "/sent?state=held", nil), w: a}, fmt.Errorf("list: %w", storage.ErrUnavailable))
	if a.Code != http.StatusServiceUnavailable || a.Header().Get("Retry-After") == "" || !strings.Contains(a.Body.String(), `href="/sent?state=held"`) {
		t.Errorf("%d %v %s", a.Code, a.Header(), a.Body)
	}
	b := httptest.NewRecorder()
	w.site.fail(&request{Request: httptest.NewRequestWithContext(t.Context(), "GET", "/", nil), w: b}, errors.New("secret detail"))
	if b.Code != http.StatusInternalServerError || strings.Contains(b.Body.String(), "secret detail") || !strings.Contains(b.Body.String(), "Mã lỗi") {
		t.Errorf("%d %s", b.Code, b.Body)
	}
	p.do("GET", must[string](t)(w.site.static.url("style.css")), nil, "Cookie", "truc_session=x").want(t, 200)
}
