// # The VXP face
//
// Files vxp*.go speak what VNPT's Java and C# SDK speak ("VPCP SDK", 2.0.0 and 2.0.1): thirteen calls under /vxp, each signed
// with the system's secret. Where no public source shows what the old axis does, this is what we chose, so that no known
// client trips over it:
//
//   - docId is a UUID everywhere (storage.PacketID): it becomes a file's name there, and columns of 36 characters hold it.
//   - What an application refuses is answered 200 with "FAIL", the norm of this wire; only what HTTP itself knows (404, 405,
//     408, 413, 429, 5xx) has its own status, with the same JSON. Never 401: Java's HttpURLConnection turns it into an
//     exception while it streams.
//   - times are yyyy-MM-dd HH:mm:ss, Vietnam's.
//   - Of the SDK's long-lived map only the call's own keys count. A "status" in a list call is left over from updateStatus and
//     a "from" of the caller's own agencies from sendEdoc, so neither filters; fromDate, toDate, pageSize and pageIndex do
//     (pages count from 1; 0 is the first too), and a "from" of somebody else's agency.
//   - The received list has at most 500 items, urgent first, then oldest, all `initial`: what is reported done, fail or
//     processing leaves it, since known clients take every item in the list.
//   - `processing` puts an item aside for an hour, `fail` until the timetable's next time; the third `fail` parks it. A second
//     `fail` while it is put aside for the first is its echo; one after a `processing` is new. getEdoc leaves everything as it is.
//   - Whether a packet is a document or a status is what its content says, not messagetype.
//   - Recipients are the packet's To; a header "to" that differs is logged.
//   - Every id that sendEdoc answers is known to getSentEdocList: a status packet's too, and a stray's, which says "fail" for
//     the recipient, since it reached nobody but the operators.
//   - A system that is shown old codes sees them in lists and in the status packets that the axis writes for native receipts.
//     Packets that came as such pass as they are, and the one packet that is made of a native document has new codes.
//   - Agencies: id is the code. Closed ones are in getSynchronizeUnit alone, as deleted; isAgency is true for all, and
//     centerCode is the top of the subtree whose hub gets the agency's documents. A hub registers, renames and closes what its
//     own subtrees cover, and new codes that begin with one of theirs, in either form; a code of neither form that does not is
//     somebody else's. deleteAgency closes, and its hub may take that back by registerAgency with the same name.
//   - Packets are handed on byte for byte: no TraceHeader of ours, no re-serialising. All known parsers accept that.
package server

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// vxpRoute is one line of the VXP face's list of routes.
type vxpRoute struct {
	path    string
	methods []string
	handler func(*Server, echo.Context, *vxpCall) error
	limit   time.Duration // as in route
	streams bool          // the handler reads the body itself
	blank   string        // what a failing answer must still carry: "", "DocId", "text", "list", "count", or "empty" for no body at all
}

var post = []string{"POST"}

// vxp is the VXP face: every route under /vxp. The counts are declared GET in the SDK and sent as POST.
var vxp = []vxpRoute{
	{"/sendEdoc", post, (*Server).vxpSend, -1, true, "DocId"},
	{"/getReceivedEdocList", post, (*Server).vxpReceivedList, 0, false, "list"},
	{"/getSentEdocList", post, (*Server).vxpSentList, 0, false, "list"},
	{"/getEdoc", post, (*Server).vxpGetEdoc, -1, false, "text"},
	{"/downloadEdoc", []string{"GET", "POST"}, (*Server).vxpDownload, -1, false, "empty"},
	{"/updateStatus", post, (*Server).vxpUpdateStatus, 0, false, ""},
	{"/countReceiveEdoc", []string{"POST", "GET"}, (*Server).vxpCountDocuments, 0, false, "count"},
	{"/countReceiveStatus", []string{"POST", "GET"}, (*Server).vxpCountStatuses, 0, false, "count"},
	{"/getAgenciesList", post, (*Server).vxpAgencies, -1, false, "list"},
	{"/getAgenciesListQD20", post, (*Server).vxpAgenciesQD20, -1, false, "list"},
	{"/getSynchronizeUnit", post, (*Server).vxpUnits, -1, false, "list"},
	{"/registerAgency", post, (*Server).vxpRegisterAgency, 0, false, ""},
	{"/deleteAgency", post, (*Server).vxpDeleteAgency, 0, false, ""},
}

// vxpCall is one authenticated call.
type vxpCall struct {
	*caller
	keys map[string]string // the signed map, without "XroadVnpt-": the only truth
	body []byte            // of a call that does not stream
}

// key returns the first of some keys that is there and not empty.
func (v *vxpCall) key(names ...string) string {
	for _, name := range names {
		if value := strings.TrimSpace(v.keys[name]); value != "" {
			return value
		}
	}
	return ""
}

// vxpRoutes adds the face. A slash at the end of a client's endpoint makes //sendEdoc, which is served too.
func (s *Server) vxpRoutes(e *echo.Echo) {
	for _, r := range vxp {
		for _, method := range r.methods {
			for _, prefix := range []string{"/vxp", "/vxp/"} {
				e.Add(method, prefix+r.path, s.bounded(route{limit: r.limit, handler: vxpHandler(r)}))
			}
		}
	}
	e.RouteNotFound("/vxp/*", vxpElsewhere)
	e.RouteNotFound("/vxp", vxpElsewhere)
}

// vxpHandler is what stands before every call: its signature, its rate, its body.
func vxpHandler(r vxpRoute) func(*Server, echo.Context) error {
	return func(s *Server, c echo.Context) error {
		call, err := s.authenticateVXP(c)
		if err == nil && !r.streams {
			call.body, err = vxpBody(c)
		}
		if err != nil {
			drain(c)
			return err
		}
		return r.handler(s, c, call)
	}
}

// maxVXPBody bounds the JSON of a call; registerAgency's has some hundred bytes.
const maxVXPBody = 64 << 10

func vxpBody(c echo.Context) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(c.Request().Body, maxVXPBody+1))
	if err != nil {
		return nil, bodyProblem(err)
	}
	if len(raw) > maxVXPBody {
		return nil, problem("body_large", "", maxVXPBody)
	}
	return raw, nil
}

func vxpElsewhere(c echo.Context) error {
	path := strings.TrimPrefix(strings.TrimPrefix(c.Request().URL.Path, "/vxp"), "//")
	for _, r := range vxp {
		if strings.TrimPrefix(r.path, "/") == strings.TrimPrefix(path, "/") {
			c.Response().Header().Set("Allow", strings.Join(r.methods, ", "))
			return problem("method", "")
		}
	}
	return problem("not_found", "")
}

// vxpResult is what every answer begins with. Fields that a client calls methods on unguarded stand beside it.
type vxpResult struct {
	Status string `json:"status"`
	Code   string `json:"ErrorCode"`
	Desc   string `json:"ErrorDesc"`
}

var vxpOK = vxpResult{Status: "OK", Code: "0", Desc: "Thanh cong"}

// vxpCodes is the one table from refusals to the error codes of the wire (spec 1.8). What is not here is 20, system error.
// 18, 19, 22 and 23 tell a client not to try again, so only what the same bytes will always meet may have them (R39).
var vxpCodes = map[string]string{
	"unauthorized": "15", "disabled": "15",
	"recipients": "18", "recipients_many": "18", "not_original": "18",
	"foreign_sender": "19", "foreign": "19", "foreign_original": "19",
	"hash_file": "10", "body_large": "10", "file_large": "10", "dispatch_large": "10", "parts": "10", "body": "10",
	"policy": "21", "signature_broken": "21", "pdf_encrypted": "21", "secret": "21", "zip_bomb": "21", "file_name": "21",
	"not_found": "21", "recalled": "21", "superseded": "21", "state": "21", "receipts_many": "21", "malformed": "21", "missing": "21",
	"headers_large": "10", "status_unknown": "22", "json": "22", "metadata": "22", "edxml": "22", "conflict": "22", "too_long": "22", "utf8": "22",
}

// vxpCode finds a refusal's code on the wire. Of recipients that cannot be sent to, locked ones are 23 when all are.
func vxpCode(p *Problem) string {
	switch {
	case p.Code == "recipients" && !slices.ContainsFunc(p.Problems, func(f Problem) bool { return f.Code != "code_"+string(routing.CodeLocked) }):
		return "23"
	case strings.HasPrefix(p.Code, "code_") && p.Field == "sender":
		return "19"
	case strings.HasPrefix(p.Code, "code_"):
		return "18"
	}
	if code := vxpCodes[p.Code]; code != "" {
		return code
	}
	return "20"
}

// vxpStatus is the HTTP status of a refusal: 200 for all that is the application's own.
func vxpStatus(p *Problem) int {
	switch p.Status {
	case http.StatusMethodNotAllowed, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusTooManyRequests,
		http.StatusRequestHeaderFieldsTooLarge, http.StatusInternalServerError, http.StatusServiceUnavailable:
		return p.Status
	}
	return http.StatusOK
}

// failVXP answers an error in the words of the wire.
func (s *Server) failVXP(p Problem, c echo.Context) {
	status, body := vxpRefusal(&p, c.Request().URL.Path)
	if len(body) == 0 {
		_ = c.NoContent(status) // the client went away: nothing more can be said
		return
	}
	_ = c.Blob(status, vxpMedia, body)
}

// vxpRefusal is what an error is called on the wire: its status and its body, which is ASCII, for sendEdoc's answer is read
// as such, and complete, for clients read fields unguarded.
func vxpRefusal(p *Problem, path string) (status int, body []byte) {
	desc, blank := plainText(vxpSentence(p)), vxpBlank(path)
	status = vxpStatus(p)
	if p.ID != "" {
		desc += " (" + p.ID + ")"
	}
	if p.Code == "not_found" && blank == "" && p.Field == "" {
		status = http.StatusNotFound
	}
	fail := vxpResult{"FAIL", vxpCode(p), desc}
	var answer any = fail
	switch blank {
	case "empty":
		if status == http.StatusOK {
			status = http.StatusNotFound
		}
		return status, nil
	case "DocId":
		answer = vxpSent{fail, ""}
	case "text":
		answer = struct {
			vxpResult
			Data string `json:"data"`
		}{fail, ""}
	case "count":
		answer = vxpCounted{fail, 0}
	case "list":
		answer = struct {
			vxpResult
			Data []struct{} `json:"data"`
		}{fail, []struct{}{}}
	}
	body, _ = json.Marshal(answer) // of strings only
	return status, body
}

// vxpBlank is what a failing answer at this path must still carry.
func vxpBlank(path string) string {
	for _, r := range vxp {
		if strings.TrimLeft(strings.TrimPrefix(path, "/vxp"), "/") == r.path[1:] {
			return r.blank
		}
	}
	return ""
}

// vxpSentence is what a problem says in one line: with the recipients that it is about.
func vxpSentence(p *Problem) string {
	text := p.VI
	for i, f := range p.Problems {
		if i == 3 {
			return fmt.Sprintf("%s … (+%d)", text, len(p.Problems)-i)
		}
		text += " " + f.VI
	}
	return text
}

const vxpMedia = "application/json;charset=UTF-8"

// answerVXP writes a successful answer.
func answerVXP(c echo.Context, body any) error { return answerVXPStatus(c, http.StatusOK, body) }

func answerVXPStatus(c echo.Context, status int, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	c.Response().Header().Set("Content-Length", fmt.Sprint(len(raw)))
	return c.Blob(status, vxpMedia, raw)
}

// vxpTime is how times stand in lists.
func vxpTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(storage.Vietnam).Format(time.DateTime)
}

// isVXP says whether a request is of this face.
func isVXP(c echo.Context) bool { return vxpPath(c.Request().URL.Path) }

func vxpPath(path string) bool { return path == "/vxp" || strings.HasPrefix(path, "/vxp/") }
