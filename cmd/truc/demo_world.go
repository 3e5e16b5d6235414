package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/truc-lienthong/truc/cmd/truc/demodata"
	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
	"github.com/truc-lienthong/truc/storage"
	"github.com/truc-lienthong/truc/web"
)

// world is everything around the axis: who may sign, who exists, who is connected, who may sign in.
type world struct {
	pki     *testpki.PKI
	dir     *routing.Directory
	systems []demoSystem
	secrets map[string]string // by system
	users   []madeUser
	toys    *toys
}

// close ends the toys.
func (w *world) close() error {
	if w.toys == nil {
		return nil
	}
	return w.toys.close()
}

// demoActor is who did it, in the audit.
const demoActor = "demo"

// makeWorld fills an empty installation.
func makeWorld(c *command, in *installation, show *screen) (*world, error) {
	w := &world{secrets: map[string]string{}}
	for _, step := range []func(*command, *installation, *screen) error{w.makePKI, w.importDirectory, w.connect, w.addUsers} {
		if err := step(c, in, show); err != nil {
			return w, err
		}
	}
	return w, nil
}

// makePKI makes the test hierarchy, keeps it for `truc send --pki`, and installs it as test anchors.
func (w *world) makePKI(c *command, in *installation, show *screen) error {
	var err error
	if w.pki, err = testpki.New(testpki.Options{}); err != nil {
		return err
	}
	if err := w.savePKI(in); err != nil {
		return err
	}
	now := time.Now()
	for _, a := range []storage.Anchor{
		{Purpose: storage.ForSigning, Family: signing.FamilyOfficial, Certificate: w.pki.Root.Certificate},
		{Purpose: storage.ForTimestamp, Certificate: w.pki.Root.Certificate},
		{Purpose: storage.Intermediate, Certificate: w.pki.Issuing.Certificate},
	} {
		a.Test, a.AddedBy = true, demoActor
		if _, err := in.store.AddAnchor(c.ctx, a, now); err != nil {
			return err
		}
	}
	for _, list := range w.pki.CRLs {
		if err := in.store.AddRevocationList(c.ctx, list, demoActor, now); err != nil {
			return err
		}
	}
	show.say("Hạ tầng khóa công khai THỬ NGHIỆM (TEST): gốc, CA cấp phát, dấu thời gian, CRL – đã cài làm gốc tin cậy thử nghiệm",
		"TEST public key infrastructure: root, issuing CA, timestamps, CRLs; installed as test anchors")
	return nil
}

// savePKI writes keys and certificates made so far below the demo's folder.
func (w *world) savePKI(in *installation) error {
	return w.pki.Dir(filepath.Join(in.state, "pki"))
}

// importDirectory imports the demo's agencies as `truc agency import` would, from its CSV.
func (w *world) importDirectory(c *command, in *installation, show *screen) error {
	agencies, faults, err := routing.ReadCSV(bytes.NewReader(demodata.CSV()))
	if err != nil {
		return err
	}
	if len(faults) > 0 {
		return fmt.Errorf("the demo's directory has faults: %v", faults[0])
	}
	result, err := in.store.ImportAgencies(c.ctx, agencies, demoActor, time.Now())
	if err != nil {
		return err
	}
	w.systems = demoSystems(agencies)
	show.say(fmt.Sprintf("Danh mục mã định danh: %s cơ quan (34 tỉnh, thành phố; các bộ, ngành; 3.321 xã, phường, đặc khu)", grouped(result.Added)),
		fmt.Sprintf("Directory: %s agencies (34 provinces; ministries; 3,321 communes); codes below level 1 are invented", groupedEN(result.Added)))
	return nil
}

// connect opens the toys' doors and adds every system.
func (w *world) connect(c *command, in *installation, show *screen) error {
	var err error
	if w.toys, err = newToys(filepath.Join(in.state, "toys"), c.log); err != nil {
		return err
	}
	count, old := map[routing.Way]int{}, []string{}
	for _, s := range w.systems {
		w.secrets[s.id] = newSecret()
		webhook, err := w.toys.add(s, w.secrets[s.id])
		if err != nil {
			return err
		}
		code, subtree, err := routing.ParseServing(s.serves)
		if err != nil {
			return err
		}
		err = in.store.AddSystem(c.ctx, storage.System{ID: s.id, Name: s.name, Kind: s.kind, Way: s.way, Webhook: webhook,
			Secret: in.key.Seal([]byte(w.secrets[s.id]), storage.SecretPurpose(s.id)),
			Serves: []routing.Serving{{System: s.id, Code: code, Subtree: subtree, Way: s.way}}}, demoActor, time.Now())
		if err != nil {
			return err
		}
		count[s.way]++
		if s.vxp {
			old = append(old, s.id)
		}
	}
	if w.dir, err = in.store.Directory(c.ctx); err != nil {
		return err
	}
	show.say(fmt.Sprintf("%d hệ thống mẫu kết nối: %d tự lấy (pull), %d được đẩy (push), %d hòm thư (mailbox); 2 trục của tỉnh đang NGỪNG: Thanh Hóa, Nghệ An",
		len(w.systems), count[routing.Pull], count[routing.Push], count[routing.Mailbox]),
		fmt.Sprintf("%d toy systems: %d pull, %d push, %d mailbox; two provincial hubs are DOWN: Thanh Hóa (push), Nghệ An (pull)",
			len(w.systems), count[routing.Pull], count[routing.Push], count[routing.Mailbox]))
	show.say(fmt.Sprintf("%d trong số đó (%s) dùng nguyên SDK cũ: chỉ đổi service.endpoint thành …/vxp, trao đổi gói tin edXML", len(old), strings.Join(old, ", ")),
		fmt.Sprintf("%d of them speak VXP as VNPT's SDK does, in edXML packets: all they changed is service.endpoint", len(old)))
	return w.holdPolicy(c, in)
}

// holdPolicy: the cautious sender wants broken documents held for a person, not refused.
func (w *world) holdPolicy(c *command, in *installation) error {
	return in.store.SetPolicy(c.ctx, storage.Policy{Sender: demoCautious, Broken: storage.Hold, Invalid: storage.Forward,
		Undetermined: storage.Forward, Unsigned: storage.Forward}, demoActor, time.Now())
}

// demoUsers are those who can sign in.
var demoUsers = []struct {
	name   string
	role   storage.Role
	agency string
	who    string
}{
	{"vanhanh", storage.Operator, "", "người vận hành trục · the axis's operator"},
	{"vanthu.vpcp", storage.Clerk, demoGovernment, "văn thư Văn phòng Chính phủ · a clerk of the Government Office"},
	{"vanthu.soyte", storage.Clerk, demoSender, "văn thư Sở Y tế TP. Hồ Chí Minh · a clerk of the sender"},
	{"vanthu.dinhmy", storage.Clerk, demoCommune, "văn thư UBND xã Định Mỹ · a clerk of the mailbox commune"},
}

// addUsers adds them with passwords that need not be changed, for this is a demo.
func (w *world) addUsers(c *command, in *installation, _ *screen) error {
	for _, u := range demoUsers {
		made := madeUser{Name: u.name, Password: web.NewPassword()}
		var err error
		if made.TOTP, made.URI, err = web.NewTOTP(u.name); err != nil {
			return err
		}
		row := storage.User{Name: u.name, Role: u.role, TOTP: in.key.Seal([]byte(made.TOTP), storage.TOTPPurpose(u.name))}
		if u.agency != "" {
			row.Agencies = []routing.Code{routing.Code(u.agency)}
		}
		if row.Password, err = web.HashPassword(made.Password); err != nil {
			return err
		}
		if err := in.store.AddUser(c.ctx, row, demoActor, time.Now()); err != nil {
			return err
		}
		w.users = append(w.users, made)
	}
	return nil
}
