{{/* A role with its binding to the controller; takes `root`, `name`, `rules`, and `namespace` ("" is the whole cluster). */}}
{{- define "dbclaims.bound" -}}
{{- $prefix := ternary "" "Cluster" (ne .namespace "") -}}
{{- $metadata := include "dbclaims.metadata" (dict "root" .root "annotations" .annotations) -}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $prefix }}Role
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  {{- $metadata | nindent 2 }}
rules:
  {{- toYaml .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $prefix }}RoleBinding
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  {{- $metadata | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $prefix }}Role
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "dbclaims.serviceAccount" .root }}
    namespace: {{ .root.Release.Namespace }}
{{ end -}}
