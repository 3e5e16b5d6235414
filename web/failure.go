package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"

	"github.com/truc-lienthong/truc/storage"
)

// What a page may refuse. Each has its sentence in failures.
var (
	errSignIn      = errors.New("sign in first")
	errNewPassword = errors.New("change the one-time password first")
	errForbidden   = errors.New("not for this role")
	errCrossSite   = errors.New("the form came from another site")
	errNoPage      = errors.New("no such page")
	errGivenBack   = errors.New("the recipient agreed to give the document back")
	errBadQuery    = errors.New("the address cannot be read")
)

// failure is what a person reads when a page cannot be shown.
type failure struct {
	Status   int
	Title    phrase
	Text     phrase
	ID       string // under which the operator finds the error
	Retry    string // the address to try again
	Guidance phrase
}

// failures is the one table from errors to answers.
var failures = []struct {
	is   error
	page failure
}{
	{errForbidden, failure{Status: http.StatusForbidden,
		Title: phrase{"Không có quyền xem trang này", "You may not see this page"},
		Text:  phrase{"Vai trò của bạn không được dùng chức năng này. Nếu cần, hãy liên hệ quản trị của đơn vị.", "Your role may not use this function. If you need it, ask your administrator."}}},
	{errCrossSite, failure{Status: http.StatusForbidden,
		Title: phrase{"Yêu cầu bị từ chối", "The request was refused"},
		Text:  phrase{"Biểu mẫu được gửi từ một trang khác. Hãy mở lại trang này và làm lại.", "The form was sent from another site. Open this page again and repeat."}}},
	{errNoPage, notFound}, {storage.ErrNotFound, notFound},
	{errGivenBack, failure{Status: http.StatusGone,
		Title: phrase{"Tệp không còn được cung cấp", "The file is no longer given out"},
		Text:  phrase{"Đơn vị đã đồng ý cho bên gửi thu hồi văn bản này hoặc thay bằng bản cập nhật. Hãy mở lại trang của văn bản để xem bản thay thế, nếu có.", "Your agency agreed that the sender takes this document back or puts an updated version in its place. Open the document's page again to see what stands in its place."}}},
	{errBadQuery, failure{Status: http.StatusBadRequest,
		Title: phrase{"Địa chỉ không đọc được", "The address cannot be read"},
		Text:  phrase{"Một phần của địa chỉ (bộ lọc hoặc số trang) không hợp lệ. Hãy mở lại danh sách từ thanh trên cùng.", "A part of the address (a filter or page mark) is not valid. Open the list again from the bar on top."}}},
	{storage.ErrUnavailable, unavailable}, {context.DeadlineExceeded, unavailable},
}

var notFound = failure{Status: http.StatusNotFound,
	Title: phrase{"Không tìm thấy", "Not found"},
	Text:  phrase{"Trang hoặc văn bản này không có, hoặc không thuộc phạm vi của bạn.", "This page or document does not exist, or is outside what you may see."}}

var unavailable = failure{Status: http.StatusServiceUnavailable,
	Title: phrase{"Hệ thống tạm thời chưa trả lời được", "The system cannot answer just now"},
	Text:  phrase{"Cơ sở dữ liệu hoặc kho tệp chưa sẵn sàng. Văn bản đã tiếp nhận không bị mất. Hãy thử lại sau ít giây.", "The database or the file store is out of reach. Nothing that was accepted is lost. Please try again in a few seconds."}}

var internal = failure{Status: http.StatusInternalServerError,
	Title: phrase{"Có lỗi trong hệ thống", "Something went wrong"},
	Text:  phrase{"Lỗi đã được ghi lại. Khi liên hệ hỗ trợ, hãy đọc mã lỗi dưới đây.", "The error was recorded. When you ask for support, give the error number below."}}

// fail answers a request that could not be served.
func (s *site) fail(q *request, err error) {
	switch {
	case errors.Is(err, errSignIn):
		s.toSignIn(q)
		return
	case errors.Is(err, errNewPassword):
		q.redirect("/password")
		return
	case errors.Is(err, context.Canceled) && q.Context().Err() != nil:
		return // nobody waits for the answer any more
	}
	page := internal
	for _, f := range failures {
		if errors.Is(err, f.is) {
			page = f.page
			break
		}
	}
	if page.Status >= 500 {
		page.ID = newErrorID()
		s.Log.Error("page failed", "id", page.ID, "method", q.Method, "path", q.URL.Path, "err", err)
	}
	if page.Status == http.StatusServiceUnavailable {
		q.w.Header().Set("Retry-After", "5")
		if q.Method == http.MethodGet {
			page.Retry = q.URL.RequestURI()
		}
	}
	s.show(q, page.Status, "failure", page.Title, page)
}

func (s *site) toSignIn(q *request) {
	to := "/sign-in"
	if q.Method == http.MethodGet && q.URL.Path != "/" {
		to += "?" + url.Values{"next": {q.URL.RequestURI()}}.Encode()
	}
	q.redirect(to)
}

func newErrorID() string {
	b := make([]byte, 6)
	_, _ = rand.Read(b) // crypto/rand never fails; it crashes the program instead
	return hex.EncodeToString(b)
}

func (s *site) getNothing(*request) error { return errNoPage }
