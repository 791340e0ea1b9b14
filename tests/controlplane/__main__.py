"""`make cluster`: a control plane for a developer, until ctrl-C."""

import signal

from .cluster import ADMIN, ControlPlane


def main() -> None:
    """Start, say how to use it, wait for ctrl-C or SIGTERM, and clean up."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ControlPlane() as cluster:
        print(f"export KUBECONFIG={cluster.kubeconfig(ADMIN)}")
        print(f"kubectl of the same version: {cluster.kubectl}")
        print("ctrl-C ends it and removes everything in it.", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print("stopped", flush=True)


if __name__ == "__main__":
    main()
