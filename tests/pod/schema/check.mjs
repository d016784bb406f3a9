// Checks manifests strictly against the API's description that the Kubernetes client carries: a field
// that it does not know and a value of another JSON type are errors. Reads YAML from standard input.
// Not checked: required fields, enumerations, rules between fields.
import fs from 'node:fs';
import yaml from 'js-yaml';
import * as models from '@kubernetes/client-node/dist/gen/models/all.js';

const FREE = new Set(['any', 'object', 'IntOrString', 'Date', 'V1MicroTime']); // their form is not a JSON type
const problems = [];

// Of prometheus-operator's API monitoring.coreos.com/v1, which the client does not carry: the fields that manifests of
// akvsync may use, as its types have them.
const OPERATOR = {
  V1PodMonitor: { apiVersion: 'string', kind: 'string', metadata: 'V1ObjectMeta', spec: 'PodMonitorSpec' },
  PodMonitorSpec: {
    namespaceSelector: 'NamespaceSelector', selector: 'V1LabelSelector', podMetricsEndpoints: 'Array<PodMetricsEndpoint>',
    jobLabel: 'string', podTargetLabels: 'Array<string>',
  },
  NamespaceSelector: { any: 'boolean', matchNames: 'Array<string>' },
  PodMetricsEndpoint: {
    port: 'string', path: 'string', scheme: 'string', interval: 'string', scrapeTimeout: 'string', honorLabels: 'boolean',
    relabelings: 'Array<RelabelConfig>', metricRelabelings: 'Array<RelabelConfig>',
  },
  RelabelConfig: {
    sourceLabels: 'Array<string>', separator: 'string', targetLabel: 'string', regex: 'string', replacement: 'string', action: 'string',
  },
  V1PrometheusRule: { apiVersion: 'string', kind: 'string', metadata: 'V1ObjectMeta', spec: 'PrometheusRuleSpec' },
  PrometheusRuleSpec: { groups: 'Array<RuleGroup>' },
  RuleGroup: { name: 'string', interval: 'string', rules: 'Array<Rule>' },
  Rule: {
    alert: 'string', record: 'string', expr: 'IntOrString', for: 'string', keep_firing_for: 'string',
    labels: '{ [key: string]: string; }', annotations: '{ [key: string]: string; }',
  },
};

// The name -> type of each field; undefined: no such model.
function fieldsOf(type) {
  if (OPERATOR[type]) return new Map(Object.entries(OPERATOR[type]));
  return models[type] && new Map(models[type].getAttributeTypeMap().map((field) => [field.baseName, field.type]));
}

function checkObject(value, type, path) {
  const known = fieldsOf(type);
  if (known === undefined) return problems.push(`${path}: no description of ${type}`);
  for (const [name, member] of Object.entries(value)) {
    if (known.has(name)) check(member, known.get(name), `${path}.${name}`);
    else problems.push(`${path}.${name}: ${type} has no such field`);
  }
}

function check(value, type, path) {
  if (value === null || value === undefined || FREE.has(type)) return;
  const list = /^Array<(.+)>$/.exec(type);
  const map = /^\{ \[key: string\]: (.+); \}$/.exec(type);
  const is = Array.isArray(value) ? 'list' : typeof value;
  const wanted = list ? 'list' : ['string', 'number', 'boolean'].includes(type) ? type : 'object';
  if (is !== wanted) problems.push(`${path}: is a ${is}, must be a ${wanted}`);
  else if (list) value.forEach((item, i) => check(item, list[1], `${path}[${i}]`));
  else if (map) Object.entries(value).forEach(([key, item]) => check(item, map[1], `${path}.${key}`));
  else if (wanted === 'object') checkObject(value, type, path);
}

// apps/v1 Deployment -> V1Deployment
function modelOf({ apiVersion = '', kind = '' }) {
  const version = apiVersion.split('/').pop();
  return version.charAt(0).toUpperCase() + version.slice(1) + kind;
}

const documents = yaml.loadAll(fs.readFileSync(0, 'utf8')).filter((document) => document);
for (const document of documents) check(document, modelOf(document), `${document.kind}/${document.metadata?.name}`);
problems.forEach((problem) => console.log(problem));
console.log(`${documents.length} documents, ${problems.length} problems`);
process.exit(problems.length ? 1 : 0);
