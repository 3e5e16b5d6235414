package web

import (
	"slices"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// access is what a route asks of whoever uses it.
type access int

const (
	nobody       access = iota // the zero value: a route that forgot to say is closed
	open                       // everybody, signed in or not
	signedIn                   // everybody who is signed in
	documents                  // who sees lists and states
	content                    // who sees subjects and files: never those who run or audit the axis (R102)
	releases                   // who decides about held documents
	seesStrays                 // who sees status packets that fit no delivery
	closesStrays               // who notes that one was looked at
)

// allowed is the whole table of roles; what it does not name is denied.
var allowed = map[storage.Role]map[access]bool{
	storage.Operator:      {signedIn: true, documents: true, releases: true, seesStrays: true, closesStrays: true},
	storage.Authority:     {signedIn: true},
	storage.Administrator: {signedIn: true, documents: true, content: true, releases: true},
	storage.Clerk:         {signedIn: true, documents: true, content: true},
	storage.Auditor:       {signedIn: true, documents: true, seesStrays: true},
}

// viewer is who looks at a page, and at what he or she may look.
type viewer struct {
	storage.User
	directory *routing.Directory
}

func (v *viewer) may(a access) bool { return v != nil && allowed[v.Role][a] }

// everyone says that the viewer sees all agencies' lists: operator and auditor.
func (v *viewer) everyone() bool { return v.Role == storage.Operator || v.Role == storage.Auditor }

// sees says whether an agency's documents are the viewer's to see.
func (v *viewer) sees(c routing.Code) bool {
	switch v.Role {
	case storage.Operator, storage.Auditor:
		return true
	case storage.Clerk:
		return slices.Contains(v.Agencies, c)
	case storage.Administrator:
		for _, top := range v.Agencies {
			if v.directory.Under(top, c) {
				return true
			}
		}
	}
	return false
}

// own lists the agencies whose documents the viewer sees; nothing for those who see everyone's.
func (v *viewer) own() []routing.Code {
	switch v.Role {
	case storage.Clerk:
		return v.Agencies
	case storage.Administrator:
		codes := []routing.Code{}
		for _, top := range v.Agencies {
			codes = append(codes, v.directory.Subtree(top)...)
		}
		slices.Sort(codes)
		return slices.Compact(codes)
	}
	return []routing.Code{}
}

// agency finds an agency that the viewer typed or chose, and all under it that the viewer sees. Nothing when it is not
// the viewer's to see: the list is then empty, and does not say whether the code exists.
func (v *viewer) agency(given string) []routing.Code {
	codes := []routing.Code{}
	for _, a := range v.directory.Find(given) {
		for _, c := range v.directory.Subtree(a.Code) {
			if v.sees(c) {
				codes = append(codes, c)
			}
		}
	}
	return codes
}
