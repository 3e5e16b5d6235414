package toy

import (
	"context"
	"encoding/json"
	"strconv"
)

// VXPAgency is an agency as the VXP face lists it. Each of the three lists fills some of its fields.
type VXPAgency struct {
	ID, PID, Code, Name, Mail string
	OldCode                   string // getAgenciesList
	Code102                   string // getAgenciesListQD20: the old form
	CenterCode, ModifyDate    string // getSynchronizeUnit, as all that follow
	Version                   int
	Deleted, IsAgency         bool
}

// Registration is a new agency of this system's own subtree.
type Registration struct {
	ID     string `json:"id"`
	Parent string `json:"pcode"`
	Code   string `json:"code"`
	Name   string `json:"name"`
	Mail   string `json:"mail"`
	Mobile string `json:"mobile"`
	Fax    string `json:"fax"`
}

// GetAgenciesList lists all agencies.
func (v *VXP) GetAgenciesList(ctx context.Context) ([]VXPAgency, error) {
	return v.agencyList(ctx, "/getAgenciesList")
}

// GetAgenciesListQD20 lists all agencies with both forms of their codes.
func (v *VXP) GetAgenciesListQD20(ctx context.Context) ([]VXPAgency, error) {
	return v.agencyList(ctx, "/getAgenciesListQD20")
}

// GetSynchronizeUnit lists all agencies with their versions, the closed ones too.
func (v *VXP) GetSynchronizeUnit(ctx context.Context) ([]VXPAgency, error) {
	return v.agencyList(ctx, "/getSynchronizeUnit")
}

func (v *VXP) agencyList(ctx context.Context, path string) ([]VXPAgency, error) {
	rows, err := v.list(ctx, vxpCall{service: &v.agencies, path: path})
	if err != nil {
		return nil, err
	}
	out := make([]VXPAgency, len(rows))
	for i, o := range rows {
		if err := o.agency(&out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (o vxpObject) agency(a *VXPAgency) (err error) {
	var deleted, isAgency string
	if err := o.texts(map[string]*string{"id": &a.ID, "pid": &a.PID, "code": &a.Code, "name": &a.Name, "mail": &a.Mail,
		"oldCode": &a.OldCode, "code102": &a.Code102, "centerCode": &a.CenterCode, "modifyDate": &a.ModifyDate,
		"deleted": &deleted, "isAgency": &isAgency}); err != nil {
		return err
	}
	a.Deleted, _ = strconv.ParseBool(deleted) // Java's own parser takes everything but "true" for false
	a.IsAgency, _ = strconv.ParseBool(isAgency)
	a.Version, err = o.number("version")
	return err
}

// RegisterAgency adds an agency to this system's subtree.
func (v *VXP) RegisterAgency(ctx context.Context, r Registration) error {
	b, err := json.Marshal(r)
	if err != nil {
		return &LocalError{Name: r.Code, Err: err}
	}
	_, err = v.ask(ctx, vxpCall{service: &v.agencies, path: "/registerAgency", body: b, expect: true})
	return err
}

// DeleteAgency closes an agency of this system's subtree.
func (v *VXP) DeleteAgency(ctx context.Context, code string) error {
	_, err := v.ask(ctx, vxpCall{service: &v.agencies, path: "/deleteAgency", body: []byte("{}"), fields: []field{{"AgencyCode", code}}})
	return err
}
