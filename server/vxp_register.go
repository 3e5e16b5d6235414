package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
	"golang.org/x/text/unicode/norm"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// registration is the body of registerAgency (spec 1.7), a string that each client makes in its own way: a number may stand
// for a string, null or nothing for what is not said. id is the client's own and not used.
type registration struct {
	Code   *loose `json:"code"`
	Parent *loose `json:"pcode"`
	Name   *loose `json:"name"`
	Mail   *loose `json:"mail"`
	Mobile *loose `json:"mobile"`
	Fax    *loose `json:"fax"`
}

// loose is a JSON string, or a number as it is written.
type loose string

// UnmarshalJSON takes both.
func (l *loose) UnmarshalJSON(raw []byte) error {
	var number json.Number
	if raw[0] != '"' {
		err := json.Unmarshal(raw, &number)
		*l = loose(number)
		return err
	}
	return json.Unmarshal(raw, (*string)(l))
}

func (l *loose) text() string {
	if l == nil {
		return ""
	}
	return norm.NFC.String(strings.TrimSpace(string(*l)))
}

// vxpRegisterAgency adds an agency to what the caller manages, or changes the name, the parent and the contact of one that
// is there. Saying the same again changes nothing.
func (s *Server) vxpRegisterAgency(c echo.Context, call *vxpCall) error {
	given, err := readRegistration(call.body)
	if err != nil {
		return err
	}
	err = s.changeDirectory(c, call, func(ctx context.Context, d *routing.Directory, change storage.Change) (bool, error) {
		r, err := given.judge(d, call.caller)
		if err != nil {
			return false, err
		}
		r.System, r.IP, r.At, r.Directory = change.System, change.IP, change.At, change.Directory
		return s.Store.RegisterAgency(ctx, r)
	})
	if err != nil {
		return err
	}
	return answerVXP(c, vxpOK)
}

// mostTurns is how often a change is judged anew because the directory moved meanwhile. Each time somebody else's change
// went through, so that many turns mean a directory that is under heavy work.
const mostTurns = 50

// changeDirectory lets do judge and make a change on the directory in force, again on the next one when that moved
// meanwhile. When it returns, this node's directory has the change; the other nodes have it within two seconds. One change
// at a time in each node: together they would only make each other judge again.
func (s *Server) changeDirectory(c echo.Context, call *vxpCall, do func(context.Context, *routing.Directory, storage.Change) (changed bool, err error)) error {
	ctx := c.Request().Context()
	s.turn.Lock()
	defer s.turn.Unlock()
	for range mostTurns {
		d := s.directory()
		changed, err := do(ctx, d, storage.Change{System: call.ID, IP: c.RealIP(), At: s.Now(), Directory: d.Version()})
		moved := errors.Is(err, storage.ErrMoved)
		if err != nil && !moved {
			return err
		}
		if changed || moved {
			if err := s.reload(ctx); err != nil {
				return err
			}
		}
		if !moved {
			return nil
		}
	}
	return fmt.Errorf("%w: the directory moved %d times while a change was judged", storage.ErrUnavailable, mostTurns)
}

// readRegistration reads the body; a byte order mark and a CRLF around it are nothing.
func readRegistration(body []byte) (registration, error) {
	var r registration
	body = bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\ufeff")))
	if !utf8.Valid(body) {
		return r, problem("utf8", "")
	}
	in := json.NewDecoder(bytes.NewReader(body))
	if err := in.Decode(&r); err != nil {
		return r, problem("json", "", cut(err.Error(), maxEcho))
	}
	if _, err := in.Token(); err != io.EOF {
		return r, problem("json", "", "more than one value")
	}
	return r, r.contact()
}

// contact checks the fields that no rule of the directory covers.
func (r registration) contact() error {
	for field, value := range map[string]*loose{"mail": r.Mail, "mobile": r.Mobile, "fax": r.Fax} {
		const most = 200
		if n := utf8.RuneCountInString(value.text()); n > most {
			return problem("too_long", field, n, most)
		}
		if strings.IndexFunc(value.text(), unicode.IsControl) >= 0 {
			return problem("malformed", field, "control character")
		}
	}
	return nil
}
