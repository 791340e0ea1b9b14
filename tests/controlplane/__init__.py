"""A real Kubernetes control plane on loopback: etcd, kube-apiserver and three controllers, and kubectl.

There is no kubelet: pods do not run. Admission, CRDs, CEL, status, watch, RBAC, Leases and garbage collection are
the real ones.
"""
