package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/truc-lienthong/truc/storage"
)

// Problem is a refusal (RFC 9457, application/problem+json): a code for programs, the field that is meant, and a
// sentence for people that says what to mend.
type Problem struct {
	Status      int       `json:"-"`
	Code        string    `json:"code"`
	Field       string    `json:"field,omitempty"`
	VI          string    `json:"vi"`
	EN          string    `json:"en"`
	ID          string    `json:"id,omitempty"` // names the log line that has the cause
	Problems    []Problem `json:"problems,omitempty"`
	Suggestions []Named   `json:"suggestions,omitempty"`
	Successors  []Named   `json:"successors,omitempty"`
	Existing    string    `json:"existing,omitempty"` // the dispatch that the identity stands for
	Instead     string    `json:"instead,omitempty"`  // the delivery of the new version, where one took a document's place
	retryAfter  int       // seconds
}

// Named is an agency's code with its name.
type Named struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

func (p *Problem) Error() string { return p.Code + ": " + p.EN }

// sentence is what a problem's code says; %s and %d are filled by problem().
type sentence struct {
	status int
	vi, en string
}

// problems is the one table of refusals.
var problems = map[string]sentence{
	"unauthorized":     {401, "Sai mã hệ thống hoặc khóa bí mật.", "Wrong system id or secret."},
	"disabled":         {403, "Hệ thống %s đã bị ngừng kết nối.", "System %s is disabled."},
	"rate":             {429, "Hệ thống gửi quá %d yêu cầu mỗi giây; hãy thử lại sau.", "More than %d requests a second; try again later."},
	"not_found":        {404, "Không tìm thấy.", "Not found."},
	"method":           {405, "Phương thức không được hỗ trợ ở địa chỉ này.", "This address does not serve that method."},
	"unavailable":      {503, "Hệ thống tạm thời chưa ghi nhận được; hãy gửi lại đúng nội dung này sau ít giây.", "Nothing was recorded for now; send the same again in a few seconds."},
	"internal":         {500, "Lỗi hệ thống; đã ghi lại với mã kèm theo.", "Internal error; it was logged under the given id."},
	"request":          {400, "Yêu cầu HTTP viết sai, hoặc có ký tự không được phép trong header.", "The HTTP request is malformed, or a header has a character that is not allowed."},
	"headers_large":    {431, "Phần header lớn hơn %d byte.", "The header is larger than %d bytes."},
	"media_type":       {415, "Nội dung phải là multipart/form-data có boundary.", "The body must be multipart/form-data with a boundary."},
	"part_order":       {400, "Phần đầu tiên phải tên là \"dispatch\" hoặc \"edxml\": siêu dữ liệu phải đến trước tệp.", "The first part must be named \"dispatch\" or \"edxml\": metadata come before files."},
	"part_unknown":     {400, "Không nhận phần tên \"%s\"; chỉ nhận \"file\" và \"signature\".", "No part is named \"%s\"; only \"file\" and \"signature\" are taken."},
	"part_extra":       {400, "Sau gói edXML không nhận thêm phần nào; tệp nằm trong gói.", "No part is taken after an edXML packet; its files are inside."},
	"parts":            {413, "Quá %d phần trong một lần gửi.", "More than %d parts in one request."},
	"body":             {400, "Nội dung gửi bị dừng giữa chừng hoặc sai định dạng multipart.", "The body stopped half-way or is not well-formed multipart."},
	"json":             {422, "Không phải JSON hợp lệ: %s", "Not valid JSON: %s"},
	"edxml":            {422, "Gói edXML không đọc được: %s", "The edXML packet cannot be read: %s"},
	"utf8":             {422, "Siêu dữ liệu phải là UTF-8 và không chứa ký tự điều khiển.", "Metadata must be UTF-8 without control characters."},
	"missing":          {422, "Thiếu trường bắt buộc.", "A required field is missing."},
	"too_long":         {422, "Dài %d ký tự, tối đa %d.", "%d characters, at most %d."},
	"malformed":        {422, "Giá trị không đúng định dạng: %s", "Malformed value: %s"},
	"unknown_field":    {422, "Trường không được biết đến.", "Unknown field."},
	"metadata":         {422, "Siêu dữ liệu có %d lỗi.", "The metadata have %d faults."},
	"secret":           {422, "Văn bản mật không được gửi qua trục (QĐ 28/2018/QĐ-TTg, điều 1 khoản 2).", "A state secret is never sent over the axis (Decision 28/2018/QĐ-TTg, art. 1(2))."},
	"foreign_sender":   {403, "Hệ thống %s không phục vụ đơn vị gửi %s.", "System %s does not serve the sender %s."},
	"recipients":       {422, "%d đơn vị nhận không gửi được; chưa gửi cho đơn vị nào.", "%d recipients cannot be sent to; nothing was sent to anybody."},
	"recipients_many":  {413, "Quá %d đơn vị nhận.", "More than %d recipients."},
	"not_connected":    {422, "Đơn vị %s (%s) chưa có hệ thống nào kết nối.", "No connected system serves %s (%s)."},
	"original_unknown": {422, "Không có văn bản gốc %s của đơn vị gửi này.", "This sender has no document %s."},
	"original_second":  {422, "Gói tin còn nêu văn bản gốc %s; trục chỉ nối với văn bản đầu tiên.", "The packet also names the original %s; only the first one is linked."},
	"foreign_original": {403, "Văn bản gốc %s không phải của đơn vị gửi này; chỉ đơn vị đã gửi mới được thu hồi, cập nhật, thay thế.", "The original %s is another agency's; only who sent it may recall, update or replace it."},
	"not_original":     {422, "%d đơn vị không được gửi văn bản gốc nên không thể thu hồi ở đó; chưa gửi cho đơn vị nào.", "%d recipients never got the original, so there is nothing to take back; nothing was sent to anybody."},
	"not_recipient":    {422, "Đơn vị %s (%s) không được gửi văn bản gốc.", "%s (%s) did not get the original."},
	"files_none":       {422, "Phải có ít nhất một tệp.", "At least one file is needed."},
	"file_empty":       {422, "Tệp %s rỗng.", "File %s is empty."},
	"file_large":       {413, "Tệp %s lớn hơn %d byte.", "File %s is larger than %d bytes."},
	"dispatch_large":   {413, "Tổng các tệp lớn hơn %d byte, giới hạn của cách nhận %s.", "The files together are larger than %d bytes, the limit of the way %s."},
	"file_name":        {422, "Tên tệp không hợp lệ: không được rỗng, quá 500 ký tự, chứa ký tự điều khiển hay đường dẫn.", "Bad file name: not empty, at most 500 characters, no control characters, no path."},
	"not_pdf":          {422, "Tệp %s có đuôi .pdf nhưng không phải PDF.", "File %s is named .pdf but is not a PDF."},
	"pdf_encrypted":    {422, "Tệp %s bị mã hóa; hãy gửi bản không đặt mật khẩu.", "File %s is encrypted; send it without a password."},
	"zip_bomb":         {422, "Tệp nén %s nở ra quá lớn.", "The archive %s expands too far."},
	"signature_broken": {422, "Tệp %s: %s", "File %s: %s"},
	"signature_twice":  {422, "Chỉ nhận một phần \"signature\".", "Only one part \"signature\" is taken."},
	"signature_large":  {413, "Chữ ký tách rời lớn hơn 1 MiB.", "The detached signature is larger than 1 MiB."},
	"policy":           {422, "Tệp %s bị từ chối theo chính sách của đơn vị gửi: %s", "File %s is refused by the sender's policy: %s"},
	"conflict":         {409, "Đã có văn bản khác với cùng mã định danh: %s.", "Another document has this id already: %s."},
	"idempotency_key":  {409, "Khóa Idempotency-Key này đã dùng cho nội dung khác: %s.", "This Idempotency-Key stands for another request: %s."},
	"foreign":          {403, "Hệ thống %s không phục vụ đơn vị này.", "System %s does not serve this agency."},
	"state":            {409, "Không thực hiện được: văn bản đang ở trạng thái %s.", "Not possible: the delivery is %s."},
	"recalled":         {410, "Văn bản đã được bên gửi thu hồi.", "The sender took this document back."},
	"superseded":       {410, "Văn bản đã được thay bằng phiên bản mới mà đơn vị nhận đã đồng ý.", "A new version, to which the recipient agreed, stands in this document's place."},
	"hash_file":        {422, "hash-file không khớp với nội dung gói tin.", "hash-file does not match the packet's bytes."},
	"hash_mismatch":    {409, "SHA-256 nhận được không khớp; gói đúng có SHA-256 %s.", "The SHA-256 does not match; the package has %s."},
	"reason_required":  {422, "Phải ghi lý do.", "A reason is required."},
	"status_unknown":   {422, "Mã trạng thái không có: %s.", "Unknown status: %s."},
	"not_asked":        {409, "Bên gửi chưa yêu cầu lấy lại văn bản này.", "The sender has not asked for this document back."},
	"receipts_many":    {409, "Văn bản này đã có %d phản hồi; không nhận thêm.", "This delivery has %d receipts; no more are taken."},
	"range":            {416, "Khoảng byte không hợp lệ.", "The byte range cannot be satisfied."},
	"code":             {404, "%s", "%s"},
	"query":            {400, "Tham số truy vấn không hợp lệ: %s", "Bad query parameter: %s"},
	"body_large":       {413, "Nội dung lớn hơn %d byte.", "The body is larger than %d bytes."},
	"timeout":          {408, "Nội dung gửi quá chậm.", "The body came too slowly."},
}

// problem fills the sentence of a code. The same arguments serve both languages.
func problem(code, field string, args ...any) *Problem {
	s, ok := problems[code]
	if !ok {
		panic("server: no sentence for problem " + code)
	}
	p := &Problem{Status: s.status, Code: code, Field: field, VI: s.vi, EN: s.en}
	if len(args) > 0 {
		p.VI, p.EN = fmt.Sprintf(s.vi, args...), fmt.Sprintf(s.en, args...)
	}
	return p
}

// spoken makes a problem whose reason has its own words in each language.
func spoken(code, field, name, vi, en string) *Problem {
	s := problems[code]
	return &Problem{Status: s.status, Code: code, Field: field, VI: fmt.Sprintf(s.vi, name, vi), EN: fmt.Sprintf(s.en, name, en)}
}

// asProblem is the one place where an error becomes an answer. What it does not know is "internal": logged, not shown.
func asProblem(err error) *Problem {
	var p *Problem
	var conflict *storage.ConflictError
	var state *storage.StateError
	var withdrawn *storage.WithdrawnError
	var http4 *echo.HTTPError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &conflict):
		code := "conflict"
		if conflict.Field != "document_id" {
			code = "idempotency_key"
		}
		p = problem(code, conflict.Field, conflict.Existing)
		p.Existing = conflict.Existing.String()
		return p
	case errors.As(err, &state) && state.State == storage.Recalled:
		return problem("recalled", "")
	case errors.As(err, &state):
		return problem("state", "", state.State)
	case errors.As(err, &withdrawn):
		return withdrawnProblem(withdrawn)
	case errors.As(err, new(*storage.ReceiptsError)):
		return problem("receipts_many", "", storage.MaxReceipts)
	case errors.Is(err, storage.ErrNotFound), errors.Is(err, storage.ErrNoObject):
		return problem("not_found", "")
	case errors.Is(err, storage.ErrNotAsked):
		return problem("not_asked", "status")
	case errors.Is(err, storage.ErrUnavailable), errors.Is(err, storage.ErrFull):
		p = problem("unavailable", "")
		p.retryAfter = 5
		return p
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, os.ErrDeadlineExceeded):
		return problem("timeout", "") // the request's own time is up, or its client went away
	case errors.As(err, &http4) && http4.Code == http.StatusNotFound:
		return problem("not_found", "")
	case errors.As(err, &http4) && http4.Code == http.StatusMethodNotAllowed:
		return problem("method", "")
	}
	return problem("internal", "")
}

// withdrawnProblem tells a recipient why a package is no longer given out, and where the new version is.
func withdrawnProblem(e *storage.WithdrawnError) *Problem {
	if e.How == storage.ByRecall {
		return problem("recalled", "")
	}
	p := problem("superseded", "")
	p.Instead = e.By.String()
	return p
}

// answerError writes an error as problem+json. 5xx are logged under the id that the answer carries.
func (s *Server) answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	p := *asProblem(err)
	if p.Status >= 500 {
		p.ID = uuid.NewString()
		s.Log.Error("request failed", "id", p.ID, "method", c.Request().Method, "path", c.Path(), "err", err)
	}
	h := c.Response().Header()
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if isVXP(c) {
		s.metrics.refused.WithLabelValues(p.Code).Inc()
		s.failVXP(p, c)
		return
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Basic realm="truc", charset="UTF-8"`)
	}
	h.Set("Content-Type", "application/problem+json")
	s.metrics.refused.WithLabelValues(p.Code).Inc()
	body, err := json.Marshal(p)
	if err != nil {
		body = []byte(`{"code":"internal"}`)
	}
	c.Response().WriteHeader(p.Status)
	if c.Request().Method != http.MethodHead {
		_, _ = c.Response().Write(body) // the client went away: nothing more can be said
	}
}
