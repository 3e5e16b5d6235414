package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// vxpAgency is a row of getAgenciesList. No field is ever left out.
type vxpAgency struct {
	ID      routing.Code `json:"id"`
	PID     routing.Code `json:"pid"`
	Code    routing.Code `json:"code"`
	Name    string       `json:"name"`
	Mail    string       `json:"mail"`
	OldCode routing.Code `json:"oldCode"`
}

// vxpAgencies lists who can be written to, now or again: the closed ones are left out.
func (s *Server) vxpAgencies(c echo.Context, _ *vxpCall) error {
	var row vxpAgency
	d := s.directory()
	return s.streamAgencies(c, &row, func(a storage.ListedAgency) bool {
		row = vxpAgency{ID: a.Code, PID: openParent(d, a), Code: a.Code, Name: a.Name, Mail: a.Mail, OldCode: a.OldCode}
		return a.Status != routing.Closed
	})
}

// vxpAgencyQD20 is a row of getAgenciesListQD20.
type vxpAgencyQD20 struct {
	ID      routing.Code `json:"id"`
	Code    routing.Code `json:"code"`
	Name    string       `json:"name"`
	Mail    string       `json:"mail"`
	Code102 routing.Code `json:"code102"`
}

// vxpAgenciesQD20 lists the same with both forms of their codes.
func (s *Server) vxpAgenciesQD20(c echo.Context, _ *vxpCall) error {
	var row vxpAgencyQD20
	return s.streamAgencies(c, &row, func(a storage.ListedAgency) bool {
		row = vxpAgencyQD20{ID: a.Code, Code: a.Code, Name: a.Name, Mail: a.Mail, Code102: a.OldCode}
		return a.Status != routing.Closed
	})
}

// vxpUnit is a row of getSynchronizeUnit. What centerCode and isAgency mean is not known; here the first is the code at the
// top of the subtree whose hub gets the agency's documents, "" for one that is connected by itself or not at all, and the
// second is true for all, so that a client that leaves out the others loses nobody.
type vxpUnit struct {
	ID         routing.Code `json:"id"`
	PID        routing.Code `json:"pid"`
	Code       routing.Code `json:"code"`
	Name       string       `json:"name"`
	Mail       string       `json:"mail"`
	Version    int64        `json:"version"`
	CenterCode routing.Code `json:"centerCode"`
	Deleted    bool         `json:"deleted"`
	ModifyDate string       `json:"modifyDate"`
	IsAgency   bool         `json:"isAgency"`
}

// vxpUnits lists all agencies, for copies that follow the directory: a closed one is marked, not missing.
func (s *Server) vxpUnits(c echo.Context, _ *vxpCall) error {
	var row vxpUnit
	d := s.directory()
	return s.streamAgencies(c, &row, func(a storage.ListedAgency) bool {
		row = vxpUnit{ID: a.Code, PID: parentOf(d, a), Code: a.Code, Name: a.Name, Mail: a.Mail, Version: a.Version,
			Deleted: a.Status == routing.Closed, ModifyDate: vxpTime(a.ModifiedAt), IsAgency: true}
		if r, ok := d.Route(a.Code); ok && r.Subtree {
			row.CenterCode = r.Serving
		}
		return true
	})
}

// parentOf is the parent as the directory in force has it, which finds one by the code too. A row that is newer than the
// snapshot says its own.
func parentOf(d *routing.Directory, a storage.ListedAgency) routing.Code {
	if known, ok := d.Get(a.Code); ok {
		return known.Parent
	}
	return a.Parent
}

// openParent is the nearest agency above that is not closed: a list without the closed ones must not point at them.
func openParent(d *routing.Directory, a storage.ListedAgency) routing.Code {
	for code := parentOf(d, a); code != ""; {
		above, ok := d.Get(code)
		if !ok {
			return ""
		}
		if above.Status != routing.Closed {
			return code
		}
		code = above.Parent
	}
	return ""
}

// streamAgencies writes a whole list page by page: fill puts an agency into row, and says whether it belongs to the list.
// The first page is read before anything is written, so that a database that is away is answered as such; after that the
// only way to say that this is not the whole list is to cut the connection, which clients report as a failure to read.
func (s *Server) streamAgencies(c echo.Context, row any, fill func(storage.ListedAgency) bool) error {
	ctx := c.Request().Context()
	page, err := s.Store.AgencyPage(ctx, "", storage.AgencyPageSize, nil)
	if err != nil {
		return err
	}
	out := startVXPList(c)
	for first := true; len(page) > 0 && err == nil; {
		for _, a := range page {
			if fill(a) {
				out.add(row, first)
				first = false
			}
		}
		if err = out.flush(); err == nil {
			page, err = s.Store.AgencyPage(ctx, page[len(page)-1].Code, storage.AgencyPageSize, page)
		}
	}
	if err == nil {
		err = out.end()
	}
	if err != nil {
		s.tellCut(ctx, c, err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// tellCut logs why a list was cut, unless it was the client that went away.
func (s *Server) tellCut(ctx context.Context, c echo.Context, err error) {
	if ctx.Err() == nil {
		s.Log.Error("list cut off", "path", c.Path(), "err", err)
	}
}

// vxpList is an answer whose data array is written while it is made.
type vxpList struct {
	page bytes.Buffer // what is not written yet
	rows *json.Encoder
	zip  *gzip.Writer // nil for a client that does not unpack
	w    io.Writer
	err  error
}

// startVXPList begins the answer with its fields; the array comes last.
func startVXPList(c echo.Context) *vxpList {
	out := &vxpList{w: c.Response()}
	h := c.Response().Header()
	h.Set("Content-Type", "application/json;charset=UTF-8")
	h.Set("Vary", "Accept-Encoding")
	if acceptsGzip(c.Request().Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		out.zip, _ = gzip.NewWriterLevel(c.Response(), gzip.BestSpeed) // a level that exists
		out.w = out.zip
	}
	out.rows = json.NewEncoder(&out.page)
	out.rows.SetEscapeHTML(false)
	fmt.Fprintf(&out.page, `{"status":%q,"ErrorCode":%q,"ErrorDesc":%q,"data":[`, vxpOK.Status, vxpOK.Code, vxpOK.Desc)
	return out
}

func (l *vxpList) add(row any, first bool) {
	if !first {
		l.page.WriteByte(',')
	}
	if err := l.rows.Encode(row); err != nil && l.err == nil {
		l.err = fmt.Errorf("write a row: %w", err)
	}
}

func (l *vxpList) flush() error {
	if l.err == nil {
		_, l.err = l.page.WriteTo(l.w)
	}
	return l.err
}

func (l *vxpList) end() error {
	l.page.WriteString("]}")
	if err := l.flush(); err != nil || l.zip == nil {
		return err
	}
	return l.zip.Close()
}

// acceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3): gzip is named, or all is, and not with a weight of nothing.
func acceptsGzip(header string) bool {
	accepts, named := false, false
	for part := range strings.SplitSeq(header, ",") {
		coding, weight, _ := strings.Cut(part, ";")
		coding = strings.ToLower(strings.TrimSpace(coding))
		star := coding == "*"
		if star && named || !star && coding != "gzip" && coding != "x-gzip" {
			continue
		}
		named = named || !star
		accepts = true
		if q, ok := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(weight), " ", ""), "q="); ok {
			f, err := strconv.ParseFloat(q, 64)
			accepts = err == nil && f > 0
		}
	}
	return accepts
}
