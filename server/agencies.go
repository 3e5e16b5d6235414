package server

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/truc-lienthong/truc/routing"
)

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

type agencyView struct {
	Code       routing.Code   `json:"code"`
	OldCode    routing.Code   `json:"old_code,omitempty"`
	Name       string         `json:"name"`
	Parent     routing.Code   `json:"parent,omitempty"`
	ParentName string         `json:"parent_name,omitempty"`
	Kind       string         `json:"kind,omitempty"`
	Status     routing.Status `json:"status"`
	ValidFrom  string         `json:"valid_from,omitempty"`
	ValidTo    string         `json:"valid_to,omitempty"`
	Successors []Named        `json:"successors,omitempty"`
	Decision   string         `json:"decision,omitempty"`
	CodeSource string         `json:"code_source,omitempty"`
	Connected  bool           `json:"connected"`
	System     string         `json:"system,omitempty"`
	Way        routing.Way    `json:"way,omitempty"`
}

func viewAgency(d *routing.Directory, a routing.Agency) agencyView {
	v := agencyView{Code: a.Code, OldCode: a.OldCode, Name: a.Name, Parent: a.Parent, Kind: a.Kind, Status: a.Status,
		ValidFrom: dayText(a.ValidFrom), ValidTo: dayText(a.ValidTo), Decision: a.Decision, CodeSource: a.CodeSource}
	if p, ok := d.Get(a.Parent); ok {
		v.ParentName = p.Name
	}
	for _, code := range a.Successors {
		one := Named{Code: string(code)}
		if next, ok := d.Get(code); ok {
			one.Name = next.Name
		}
		v.Successors = append(v.Successors, one)
	}
	if r, ok := d.Route(a.Code); ok {
		v.Connected, v.System, v.Way = true, r.System, r.Way
	}
	return v
}

func dayText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

// getAgency shows one agency, whatever its status; either code form finds it.
func (s *Server) getAgency(c echo.Context) error {
	d := s.directory()
	found := d.Find(c.Param("code"))
	if len(found) != 1 {
		_, err := d.Resolve(c.Param("code"))
		if err == nil {
			return problem("not_found", "code")
		}
		p := codeProblem("code", err)
		p.Status = http.StatusNotFound
		return p
	}
	return c.JSON(http.StatusOK, viewAgency(d, found[0]))
}

// searchAgencies finds agencies by name or code, without regard to accents.
func (s *Server) searchAgencies(c echo.Context) error {
	limit, err := intQuery(c, "limit", 20)
	if err != nil {
		return err
	}
	q := c.QueryParam("q")
	if len(q) > 200 {
		return problem("too_long", "q", len(q), 200)
	}
	d := s.directory()
	found := d.Search(q, min(max(limit, 1), 100))
	list := make([]agencyView, len(found))
	for i, a := range found {
		list[i] = viewAgency(d, a)
	}
	return c.JSON(http.StatusOK, map[string]any{"agencies": list, "version": d.Version()})
}

// postPlan says what a submission to these recipients would meet; nothing is sent.
func (s *Server) postPlan(c echo.Context) error {
	var body struct {
		Sender     string   `json:"sender"`
		Recipients []string `json:"recipients"`
		Files      []struct {
			Name string `json:"name"`
			Size int64  `json:"size"`
		} `json:"files"`
	}
	if err := readJSON(c, s.Limits.FirstPart, &body); err != nil {
		return err
	}
	if len(body.Recipients) > s.Limits.Recipients {
		return problem("recipients_many", "recipients", s.Limits.Recipients)
	}
	if len(body.Files) > s.Limits.Parts {
		return problem("parts", "files", s.Limits.Parts)
	}
	d := s.directory()
	plan := planRecipients(d, body.Recipients)
	most, way := s.dispatchLimit(plan.to)
	faults := plan.faults
	var total int64
	for _, f := range body.Files {
		if _, ok := cleanName(f.Name); !ok {
			faults = append(faults, *problem("file_name", cut(f.Name, maxEcho)))
		}
		if f.Size < 0 {
			faults = append(faults, *problem("malformed", "files", fmt.Sprint(f.Size)))
			continue
		}
		if f.Size > s.Limits.File {
			faults = append(faults, *problem("file_large", f.Name, f.Name, s.Limits.File))
		}
		if total += f.Size; total > most {
			faults = append(faults, *problem("dispatch_large", "files", most, way))
		}
	}
	faults = append(faults, s.planSender(c, d, body.Sender)...)
	return c.JSON(http.StatusOK, planView{
		OK: len(faults) == 0, Recipients: s.planned(plan.to), Faults: orEmpty(faults), Warnings: orEmpty(plan.warnings), Directory: d.Version(),
		Limits: limitsView{File: s.Limits.File, Dispatch: most, Way: way, Files: s.Limits.Parts, Recipients: s.Limits.Recipients, Metadata: s.Limits.FirstPart},
	})
}

type planView struct {
	OK         bool          `json:"ok"`
	Recipients []plannedView `json:"recipients"`
	Faults     []Problem     `json:"faults"`
	Warnings   []Problem     `json:"warnings"`
	Limits     limitsView    `json:"limits"`
	Directory  int64         `json:"directory_version"`
}

type plannedView struct {
	Given     string       `json:"given"`
	Code      routing.Code `json:"code"`
	Name      string       `json:"name"`
	Connected bool         `json:"connected"`
	System    string       `json:"system,omitempty"`
	Way       routing.Way  `json:"way,omitempty"`
	Limit     int64        `json:"limit_bytes"`
}

type limitsView struct {
	File       int64       `json:"file_bytes"`
	Dispatch   int64       `json:"dispatch_bytes"`
	Way        routing.Way `json:"way,omitempty"` // the way that limits dispatch_bytes
	Files      int         `json:"files"`
	Recipients int         `json:"recipients"`
	Metadata   int64       `json:"metadata_bytes"`
}

func (s *Server) planned(to []routing.Recipient) []plannedView {
	list := make([]plannedView, len(to))
	for i, r := range to {
		most, ok := s.Limits.PerWay[r.Route.Way]
		if !ok {
			most = s.Limits.Dispatch
		}
		list[i] = plannedView{Given: r.Given, Code: r.Agency.Code, Name: r.Agency.Name, Connected: r.Connected,
			System: r.Route.System, Way: r.Route.Way, Limit: most}
	}
	return list
}

func (s *Server) planSender(c echo.Context, d *routing.Directory, sender string) []Problem {
	if sender == "" {
		return nil
	}
	a, err := d.Resolve(sender)
	if err != nil {
		return []Problem{*codeProblem("sender", err)}
	}
	if !d.Serves(who(c).ID, a.Code) {
		return []Problem{*problem("foreign_sender", "sender", who(c).ID, fmt.Sprint(a.Code))}
	}
	return nil
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return slices.Clip(list)
}
