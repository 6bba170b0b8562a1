{{- define "seaworthy.name" -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "seaworthy.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "seaworthy.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "seaworthy.env" -}}
- name: SEAWORTHY_URL
  value: {{ required "`url` says how clients reach it" .Values.url | quote }}
- name: SEAWORTHY_DATA
  value: /var/lib/seaworthy
- name: SEAWORTHY_LISTEN
  value: "[::]:8686"
- name: SEAWORTHY_LOG_FORMAT
  value: json
{{- if .Values.tlsSecret }}
- name: SEAWORTHY_TLS_CERTIFICATE
  value: /etc/seaworthy/tls/tls.crt
- name: SEAWORTHY_TLS_KEY
  value: /etc/seaworthy/tls/tls.key
{{- else }}
- name: SEAWORTHY_ALLOW_PLAIN_HTTP
  value: "true"
{{- end }}
{{- if eq .Values.mode "scaled" }}
- name: SEAWORTHY_DATABASE
  value: {{ .Values.database.url | quote }}
- name: SEAWORTHY_DATABASE_CONNECTIONS
  value: {{ .Values.database.connections | quote }}
- name: SEAWORTHY_DATABASE_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ .Values.existingSecret }}, key: database-password } }
- name: SEAWORTHY_BLOBS
  value: {{ .Values.blobs.url | quote }}
- name: SEAWORTHY_S3_ACCESS_KEY
  valueFrom: { secretKeyRef: { name: {{ .Values.existingSecret }}, key: s3-access-key } }
- name: SEAWORTHY_S3_SECRET_KEY
  valueFrom: { secretKeyRef: { name: {{ .Values.existingSecret }}, key: s3-secret-key } }
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "seaworthy.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{- define "seaworthy.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "seaworthy.probes" -}}
livenessProbe:
  httpGet: { path: /healthz, port: http, scheme: {{ ternary "HTTPS" "HTTP" (ne .Values.tlsSecret "") }} }
  periodSeconds: 10
readinessProbe:
  httpGet: { path: /readyz, port: http, scheme: {{ ternary "HTTPS" "HTTP" (ne .Values.tlsSecret "") }} }
  periodSeconds: 5
{{- end -}}

{{- define "seaworthy.placement" -}}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
