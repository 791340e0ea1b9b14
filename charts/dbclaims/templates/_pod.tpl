{{/* The pod of every container of ours: restricted, read-only, with a token of its own that ends. */}}

{{- define "dbclaims.podSpec" -}}
serviceAccountName: {{ include "dbclaims.serviceAccount" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "dbclaims.container" -}}
image: {{ include "dbclaims.image" . }}
imagePullPolicy: {{ .Values.controller.image.pullPolicy }}
# What stops the start is one sentence on stderr: `kubectl describe pod` shows it.
terminationMessagePolicy: FallbackToLogsOnError
env:
  # Threads on arenas of their own hold on to memory that others freed.
  - {name: MALLOC_ARENA_MAX, value: "2"}
  {{- with .Values.controller.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  - {name: token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
  {{- range .Values.plugins.volumes }}
  - {name: plugins-{{ .name }}, mountPath: /plugins/{{ .name }}, readOnly: true}
  {{- end }}
  {{- with .Values.controller.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "dbclaims.volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
- name: token
  projected:
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3607}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI: {items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]}
{{- range .Values.plugins.volumes }}
- name: plugins-{{ .name }}
  {{- toYaml .source | nindent 2 }}
{{- end }}
{{- with .Values.controller.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
