package server

import (
	"context"
	"fmt"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// vxpDeleteAgency closes an agency that the caller manages. The wire says "delete", the law that a code is for life (R50):
// its row stays, its documents stay, what waits for it is still fetched by its hub, and nobody else ever gets the code.
// Closing what is closed is done already.
func (s *Server) vxpDeleteAgency(c echo.Context, call *vxpCall) error {
	given := call.key(keyAgency)
	if given == "" {
		return problem("missing", "AgencyCode")
	}
	err := s.changeDirectory(c, call, func(ctx context.Context, d *routing.Directory, change storage.Change) (bool, error) {
		a, err := mayClose(d, call.caller, given)
		if err != nil || a.Status == routing.Closed {
			return false, err
		}
		change.Was = a
		err = s.Store.CloseAgency(ctx, change)
		return err == nil, err
	})
	if err != nil {
		return err
	}
	return answerVXP(c, vxpOK)
}

// mayClose finds what is to be closed. One with agencies under it that are not closed is not: they would be left hanging,
// and closing a whole branch in silence is what people have cursed other products for (R55).
func mayClose(d *routing.Directory, who *caller, given string) (routing.Agency, error) {
	found := d.Find(given)
	if len(found) != 1 {
		_, err := d.Resolve(given)
		return routing.Agency{}, codeProblem("AgencyCode", err)
	}
	a := found[0]
	switch {
	case !d.Manages(who.ID, a.Code):
		return a, foreignCode("AgencyCode", who, a.Code)
	case a.Status == routing.Closed:
		return a, nil
	case who.top(a.Code):
		return a, topProblem(who, a)
	}
	var under []routing.Code
	for _, code := range d.Subtree(a.Code)[1:] {
		if child, ok := d.Get(code); ok && child.Status != routing.Closed {
			under = append(under, code)
		}
	}
	if len(under) == 0 {
		return a, nil
	}
	var first []string
	for _, code := range under[:min(len(under), 5)] {
		child, _ := d.Get(code)
		first = append(first, string(code)+" "+child.ShortName())
	}
	list := strings.Join(first, "; ")
	return a, refusal("state", "AgencyCode", fmt.Sprintf("%s còn %d đơn vị trực thuộc chưa đóng: %s; hãy đóng các đơn vị đó trước.", a.Code, len(under), list),
		fmt.Sprintf("%s has %d agencies under it that are not closed: %s; close those first.", a.Code, len(under), list))
}
