package server

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/server/edxml"
)

// postPacketCheck says what is wrong with an edXML packet, where, and how to mend it (R109). That it has errors is the answer, not a
// refusal: 200. Nothing is kept of it.
func (s *Server) postPacketCheck(c echo.Context) error {
	look, err := boolQuery(c, "directory")
	var p edxml.Packet
	if err == nil {
		p, err = s.readForCheck(&bounded{c.Request().Body, s.Limits.Packet, s.Limits.Packet})
	}
	if err != nil {
		drain(c) // also behind what made a packet unreadable: the sender reads our answer when it has sent all
	}
	if err != nil && !errors.As(err, new(*edxml.Unreadable)) { // what is unreadable stands among the packet's errors
		return err
	}
	var further []edxml.Problem
	if look {
		further = CheckCodes(s.directory(), p)
	}
	return c.JSON(http.StatusOK, p.Check(further...))
}

// readForCheck reads a packet and throws its files away. They are bounded as a dispatch's are: packed files must not cost more here.
func (s *Server) readForCheck(body io.Reader) (edxml.Packet, error) {
	left := s.Limits.Dispatch
	p, err := edxml.Read(body, edxml.Reading{Now: s.Now(), MaxFile: s.Limits.File, Attachment: func(_ int, _ edxml.Attachment, content io.Reader) error {
		n, _ := io.Copy(io.Discard, io.LimitReader(content, left+1)) // that it broke off, the reader itself knows
		if left -= n; left < 0 {
			return problem("body_large", "", s.Limits.Dispatch)
		}
		return nil
	}})
	if err == nil || errors.As(err, new(*edxml.Unreadable)) {
		return p, err
	}
	return p, bodyProblem(err)
}

// boolQuery reads a query parameter that says yes or no; not given, it says no.
func boolQuery(c echo.Context, name string) (bool, error) {
	text := c.QueryParam(name)
	if text == "" {
		return false, nil
	}
	yes, err := strconv.ParseBool(text)
	if err != nil {
		return false, badQuery(name, text)
	}
	return yes, nil
}

// CheckCodes looks the codes of a packet's parties up in a directory: one that is unknown, closed, locked, ambiguous or no code at all is an
// error; two forms of one agency's code are a warning. It names at most maxFaults of each, for each unknown code costs a search for what
// may have been meant.
func CheckCodes(d *routing.Directory, p edxml.Packet) []edxml.Problem {
	var found []edxml.Problem
	from, to := partiesOf(p)
	if from != "" {
		if _, err := d.Resolve(from); err != nil {
			found = append(found, codeFault(p, -1, err))
		}
	}
	doubles := 0
	first, seen := map[routing.Code]string{}, map[string]bool{}
	for i, given := range to {
		if given == "" || len(found)-doubles >= maxFaults { // without a code: missing, which the reader says
			continue
		}
		a, err := d.Resolve(given)
		if err != nil {
			found = append(found, codeFault(p, i, err))
			continue
		}
		before, again := first[a.Code]
		if !again {
			first[a.Code] = given
		}
		if again && !seen[strings.ToUpper(given)] && doubles < maxFaults { // the same writing twice, the reader says
			doubles++
			found = append(found, p.Doubled(i, fmt.Sprintf("Mã %s và %s là của cùng một cơ quan (%s); chỉ gửi một lần.", before, given, a.Name),
				fmt.Sprintf("The codes %s and %s are of one agency (%s); it gets one delivery.", before, given, a.Name)))
		}
		seen[strings.ToUpper(given)] = true
	}
	return found
}

// partiesOf gives the sender's code and those of the recipients, as they stand in the packet.
func partiesOf(p edxml.Packet) (from string, to []string) {
	switch {
	case p.Status != nil:
		return p.Status.From.ID, []string{p.Status.ResponseFor.OrganID}
	case p.Document == nil:
		return "", nil
	}
	for _, o := range p.Document.To {
		to = append(to, o.ID)
	}
	return p.Document.From.ID, to
}

// codeFault makes the directory's finding about the i-th recipient, or the sender at -1, an error with its place and, where the directory
// knows it, the code to write instead.
func codeFault(p edxml.Packet, i int, err error) edxml.Problem {
	var fault *routing.CodeError
	if !errors.As(err, &fault) {
		return p.UnknownCode(i, err.Error(), err.Error())
	}
	q := p.UnknownCode(i, fault.VI, fault.EN)
	var codes []string
	for _, a := range fault.Successors {
		codes = append(codes, string(a.Code))
	}
	if len(codes) > 0 {
		list := strings.Join(codes, ", ")
		q.Fix = "Thay bằng mã " + list + " / Use the code " + list
	}
	return q
}
