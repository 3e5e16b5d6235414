package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
	"github.com/truc-lienthong/truc/storage"
)

// benchSite is a throwaway installation with a server, and the bare floor beside it on the same disk and database.
type benchSite struct {
	in     *installation
	folder string
	axis   *running
	floor  *floorServer
}

// throwaway makes a site, lets prepare fill it before its server starts, and takes it down after measure.
func (c *command) throwaway(prepare func(*command, *installation) error, measure func(*benchSite) error) (err error) {
	folder, err := os.MkdirTemp(c.options.State, "truc-bench-")
	if err != nil {
		return fmt.Errorf("make a throwaway folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if err := os.Chmod(folder, 0o755); err != nil { // PostgreSQL's own user passes through
		return err
	}
	bench := *c
	bench.options = &options{State: folder}
	bench.log = slog.New(slog.DiscardHandler)
	in, err := bench.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	if err := prepare(&bench, in); err != nil {
		return err
	}
	up, err := (&serveOptions{Listen: "127.0.0.1:0", Rate: 1 << 20, Workers: 8}).start(&bench, in)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, up.stop()) }()
	floor, err := startFloor(c.ctx, in.dsn, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, floor.close()) }()
	return measure(&benchSite{in: in, folder: folder, axis: up, floor: floor})
}

// benchSecret is the secret of every system of a throwaway installation.
const benchSecret = "bench"

// prepareBench installs live agencies, a pulled system for each serving, named as its code, and the trust in a test PKI.
func prepareBench(c *command, in *installation, agencies []routing.Agency, servings []routing.Serving) (*testpki.PKI, error) {
	now := time.Now()
	if err := in.store.BindKey(c.ctx, in.key.Fingerprint()); err != nil {
		return nil, err
	}
	for i := range agencies {
		agencies[i].Status = routing.Live
	}
	if _, err := in.store.ImportAgencies(c.ctx, agencies, "bench", now); err != nil {
		return nil, err
	}
	for _, serving := range servings {
		id := string(serving.Code)
		err := in.store.AddSystem(c.ctx, storage.System{ID: id, Name: id, Kind: "qlvb", Way: routing.Pull,
			Secret: in.key.Seal([]byte(benchSecret), storage.SecretPurpose(id)), Serves: []routing.Serving{serving}}, "bench", now)
		if err != nil {
			return nil, err
		}
	}
	pki, err := testpki.New(testpki.Options{})
	if err != nil {
		return nil, err
	}
	for _, a := range []storage.Anchor{{Purpose: storage.ForSigning, Certificate: pki.Root.Certificate}, {Purpose: storage.Intermediate, Certificate: pki.Issuing.Certificate}} {
		a.Test, a.Family, a.AddedBy = true, signing.FamilyOfficial, "bench"
		if _, err := in.store.AddAnchor(c.ctx, a, now); err != nil {
			return nil, err
		}
	}
	for _, list := range pki.CRLs {
		if err := in.store.AddRevocationList(c.ctx, list, "bench", now); err != nil {
			return nil, err
		}
	}
	return pki, nil
}
