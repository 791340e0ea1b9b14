{{/* What everything is called. Names in the whole cluster carry the namespace too, so that two releases never meet. */}}

{{- define "dbclaims.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "dbclaims.clusterName" -}}
{{- printf "%s-%s" (include "dbclaims.fullname" .) .Release.Namespace -}}
{{- end -}}

{{- define "dbclaims.serviceAccount" -}}
{{- default (ternary (include "dbclaims.fullname" .) "default" .Values.controller.serviceAccount.create) .Values.controller.serviceAccount.name -}}
{{- end -}}

{{- define "dbclaims.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The parts of metadata that every object has; takes a dict with `root`, and `annotations` where there are more. */}}
{{- define "dbclaims.metadata" -}}
labels:
  helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
  app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
  app.kubernetes.io/managed-by: {{ .root.Release.Service }}
  app.kubernetes.io/part-of: dbclaims
  {{- include "dbclaims.selector" .root | nindent 2 }}
  {{- with merge (dict) (default (dict) .labels) .root.Values.commonLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (default (dict) .annotations) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "dbclaims.image" -}}
{{- $image := .Values.controller.image -}}
{{- with default .Values.global.imageRegistry $image.registry }}{{ . }}/{{ end -}}
{{- $image.repository -}}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ default .Chart.AppVersion $image.tag }}{{ end -}}
{{- end -}}

{{/* What of a cluster the controller serves, as every command of ours takes it. */}}
{{- define "dbclaims.placeArgs" -}}
- --namespace={{ .Release.Namespace }}
{{- with .Values.rbac.namespaces }}
- --namespaces={{ join "," . }}
{{- end }}
{{- with .Values.plugins.allow }}
- --plugins={{ join "," . }}
{{- end }}
{{- range .Values.plugins.volumes }}
- --plugin-path={{ printf "/plugins/%s/%s" .name (default "" .path) | trimSuffix "/" }}
{{- end }}
{{- end -}}

{{/* Whether an object of a kind that others define is rendered; takes a dict with `root`, `value` and `api`. */}}
{{- define "dbclaims.rendered" -}}
{{- if .value.enabled -}}
{{- $known := .root.Capabilities.APIVersions.Has .api -}}
{{- if and (eq .value.renderMode "failIfMissing") (not $known) -}}
{{- fail (printf "the cluster does not serve %s: install its operator first, or set renderMode to skipIfMissing" .api) -}}
{{- end -}}
{{- if or $known (eq .value.renderMode "alwaysRender") }}true{{ end -}}
{{- end -}}
{{- end -}}
