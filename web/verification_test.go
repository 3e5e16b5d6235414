package web

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

// TestVerificationSheet: both sides open the sheet of a document, nobody else does, and those who run the axis do not (R102).
func TestVerificationSheet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.submit("H29.12", letter("SYT-7", "H26"), "cong-van.pdf", must[[]byte](t)(signedPDF()))
	clerk := w.signIn("van.thu")
	clerk.get("/dispatches/"+id).want(t, 200, "/dispatches/"+id+"/verification")
	words := []string{"CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "BIÊN BẢN KIỂM TRA CHỮ KÝ SỐ", "cong-van.pdf", "Vai trò", "Cơ quan ký và bên gửi",
		"Đường dẫn chứng thực", "Tình trạng thu hồi", "khi tiếp nhận", "Căn cứ được lưu"}
	clerk.get("/dispatches/"+id+"/verification").want(t, 200, append(words, "van.thu</strong>")...)
	hanoi := w.signIn("van.thu.hanoi")
	hanoi.get("/dispatches/"+id+"/verification").want(t, 200, append(words, "van.thu.hanoi</strong>")...)
	w.signIn("van.hanh").get("/dispatches/"+id+"/verification").want(t, 403)
	elsewhere := w.submit("H29.12", letter("SYT-8", "H01.151"), "a.pdf", must[[]byte](t)(signedPDF()))
	hanoi.get("/dispatches/"+elsewhere+"/verification").want(t, 404)
	clerk.get("/dispatches/"+id[:35]+"/verification").want(t, 404)
}

// TestTurnedIsShown: who opens a document whose verdict became another one reads so on its page.
func TestTurnedIsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.submit("H29.12", letter("SYT-9", "H26"), "cong-van.pdf", must[[]byte](t)(signedPDF()))
	clerk := w.signIn("van.thu")
	first := clerk.get("/dispatches/"+id).want(t, 200)
	if strings.Contains(first.body, "xác định lại") {
		t.Error("a first verdict is called a later one")
	}
	d, err := w.store.Dispatch(t.Context(), uuid.MustParse(id))
	check(t, err)
	turned := d.Report
	turned.Verdict = signing.Invalid
	check(t, w.store.Rejudge(t.Context(), d.ID, storage.Verification{N: 2, At: d.AcceptedAt.Add(time.Hour), By: "truc", Occasion: storage.NewData,
		Before: d.Verdict, Verdict: signing.Invalid, Report: turned}))
	clerk.get("/dispatches/"+id).want(t, 200, "Kết quả được xác định lại lúc", "có thêm dữ liệu", "Chữ ký số không hợp lệ")
}

// TestSketches: each page with marks is drawn once, from the top, and a stranger's numbers stay on it.
func TestSketches(t *testing.T) {
	t.Parallel()
	s := signing.SignatureReport{Page: 2, Rect: &signing.Rect{300, 100, 400, 200}, Marks: []signing.Mark{
		{Page: 2, Rect: signing.Rect{10, 800, 110, 820}, Kind: "FreeText"}, {Page: 1, Rect: signing.Rect{110, 20, 10, 10}, Kind: "Odd"},
		{Page: 1, Rect: signing.Rect{-1e300, -5, 1e300, 1e9}, Kind: "Stamp"}}}
	got := sketches(s)
	if len(got) != 2 || got[0].Page != 1 || got[1].Page != 2 || len(got[0].Boxes) != 2 || len(got[1].Boxes) != 2 {
		t.Fatalf("%+v", got)
	}
	if b := got[1].Boxes[0]; !b.Signature || b.X != 300 || math.Abs(b.Y-(a4Height-200)) > 0.01 || b.Width != 100 || b.Height != 100 {
		t.Errorf("the signature: %+v", b)
	}
	if b := got[1].Boxes[1]; b.N != 1 || b.Kind.VI != "chữ ghi trên trang" || math.Abs(b.Y-(a4Height-820)) > 0.01 {
		t.Errorf("the mark: %+v", b)
	}
	if p := got[0]; p.Width != 14400 || p.Height != 14400 || p.Boxes[0].X != 10 || p.Boxes[0].Height != 10 || p.Boxes[0].Kind.VI != "Odd" {
		t.Errorf("odd rectangles: %+v", p)
	}
	if len(sketches(signing.SignatureReport{Page: 1, Rect: &signing.Rect{0, 0, 9, 9}})) != 0 {
		t.Error("a page without marks is drawn")
	}
}
