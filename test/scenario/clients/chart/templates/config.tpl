{{- $old := lookup "v1" "Secret" .Release.Namespace .Release.Name }}
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}}
data:
  greeting: {{ .Values.greeting }}
  revision: {{ .Release.Revision | quote }}
---
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}}
data:
  # Made once, and kept by upgrades.
  password: {{ if $old }}{{ $old.data.password }}{{ else }}{{ randAlphaNum 12 | b64enc }}{{ end }}
