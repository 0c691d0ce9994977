// Asks the Salesforce library which component each path of a generated tree belongs to.
//
//   npm ci && node oracle.mjs > answers.tsv
//
// One line for each path: presets, path, answer. The answer is `Type:FullName`, `-` when the library finds no
// component, or `!` when it refuses the file.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const library = dirname(require.resolve('@salesforce/source-deploy-retrieve'));
const { MetadataResolver, RegistryAccess, VirtualTreeContainer } = require('@salesforce/source-deploy-retrieve');
const { getEffectiveRegistry } = require(join(library, 'registry/variants.js'));
const { presetMap } = require(join(library, 'registry/presets/presetMap.js'));
const registry = require(join(library, 'registry/metadataRegistry.json'));

const SOURCE = 'force-app/main/default';
const METADATA_API = 'src';
const META = '-meta.xml';

/** Paths of one or two components of a type in both formats. */
function paths(type, types) {
  const { directoryName: directory, suffix, id } = type;
  const adapter = type.strategies?.adapter ?? 'default';
  const found = [];
  const source = (...names) => found.push(...names.map((name) => `${SOURCE}/${directory}/${name}`));
  const api = (...names) => found.push(...names.map((name) => `${METADATA_API}/${directory}/${name}`));
  const both = (...names) => (source(...names), api(...names));

  if (type.folderContentType) {
    source(`Folder.${suffix}${META}`, `Folder/Inner.${suffix}${META}`);
    api(`Folder${META}`, `Folder/Inner${META}`);
  } else if (id === 'document') {
    source('Folder/One.png', `Folder/One.document${META}`, 'Folder/Inner/Two.txt', `Folder/Inner/Two.document${META}`);
    api('Folder/One.png', `Folder/One.png${META}`);
  } else if (type.inFolder && adapter === 'matchingContentFile') {
    both(`Folder/One.${suffix}`, `Folder/One.${suffix}${META}`);
    both(`Folder/Inner/Two.${suffix}`, `Folder/Inner/Two.${suffix}${META}`);
  } else if (type.inFolder) {
    source(`Folder/One.${suffix}${META}`, `Folder/Inner/Two.${suffix}${META}`);
    api(`Folder/One.${suffix}`, `Folder/Inner/Two.${suffix}`);
  } else if (type.folderType === id) {
    source(`One/One.${suffix}${META}`);
    api(`One/One.${suffix}`);
  } else if (type.folderType) {
    const model = types[type.folderType].directoryName;
    found.push(`${SOURCE}/${model}/One/${directory}/Two.${suffix}${META}`);
    found.push(`${METADATA_API}/${model}/One/${directory}/Two.${suffix}`);
  } else if (adapter === 'default') {
    const name = id === 'custommetadata' ? 'Kind.One' : 'One';
    source(`${name}.${suffix}${META}`, `sub/${name}Sub.${suffix}${META}`);
    api(`${name}.${suffix}`);
  } else if (adapter === 'partiallyDecomposed') {
    source(`One.${suffix}${META}`, 'One.yaml');
  } else if (adapter === 'matchingContentFile') {
    both(`One.${suffix}`, `One.${suffix}${META}`);
  } else if (adapter === 'bundle' || adapter === 'uiBundles') {
    const inner = suffix ?? { lwc: 'js', aura: 'cmp' }[directory] ?? id;
    const descriptor = type.metaFileSuffix?.endsWith('.json') ? type.metaFileSuffix : `One.${inner}${META}`;
    both(`One/${descriptor}`, 'One/One.js', 'One/deep/more.css');
  } else if (adapter === 'digitalExperience') {
    both(
      `site/One/One.${suffix}${META}`,
      'site/One/sfdc_cms__view/start/_meta.json',
      'site/One/sfdc_cms__view/start/content.json',
      'site/One/sfdc_cms__view/start/mobile/mobile.json'
    );
  } else if (adapter === 'mixedContent') {
    both(`One.${suffix ?? 'site'}${META}`, 'One/index.html', 'One/deep/more.js');
    if (id === 'staticresource') both(`Two.resource${META}`, 'Two.resource');
  } else if (adapter === 'decomposed') {
    source(`One/One.${suffix}${META}`);
    api(`One.${suffix}`);
    for (const [childSuffix, childId] of Object.entries(type.children.suffixes)) {
      const child = type.children.types[childId];
      const folder = type.strategies.decomposition === 'folderPerType' ? `${child.directoryName}/` : '';
      const inner = child.directoryName === 'objectSettings' ? 'objectSettings/' : '';
      source(`One/${folder || inner}Two.${childSuffix}${META}`);
    }
  } else {
    throw new Error(`${type.name}: unknown adapter ${adapter}`);
  }
  return found;
}

/** Places where people put files. */
const EXTRAS = [
  `${SOURCE}/feature/One.cls`,
  `${SOURCE}/feature/One.cls${META}`,
  `${SOURCE}/feature/Tab.tab${META}`,
  `${SOURCE}/feature/Tab.tab`,
  `${SOURCE}/feature/Bot.bot${META}`,
  `${SOURCE}/objects/One/layouts/Inner.layout${META}`,
  `${SOURCE}/objects/Alone/fields/Field.field${META}`,
  `${SOURCE}/objects/One/indexes/Old.indexe${META}`,
  `${SOURCE}/layouts/One-Lay %28out%29.layout${META}`,
  `${SOURCE}/lwc/group/lwc/Nested/Nested.js`,
  `${SOURCE}/lwc/One/__tests__/One.test.js`,
  `${SOURCE}/lwc/jsconfig.json`,
  `${SOURCE}/email/Old.emailTemplateFolder${META}`,
  `${SOURCE}/labels/Other.labels${META}`,
  `${SOURCE}/staticresources/One/lwc/inner/inner.js`,
  `${SOURCE}/staticresources/One/package.xml`,
  `${SOURCE}/workflows/One/workflowAlerts/Mail.workflowAlert${META}`,
  `${SOURCE}/documents/Folder/with.two.dots.png`,
  `${SOURCE}/reports/Folder/with.dot.report${META}`,
  `${SOURCE}/classes/notes.txt`,
  `${SOURCE}/README.md`,
  `${SOURCE}/stray.xml`,
  `${SOURCE}/package.xml`,
  `${METADATA_API}/package.xml`,
  `${METADATA_API}/destructiveChanges.xml`,
  `${METADATA_API}/objects/sub/Two.object`,
];

function ask(presets) {
  const effective = getEffectiveRegistry({
    presets: presets.map((name) => presetMap.get(name)),
    registryCustomizations: { types: {}, childTypes: {}, suffixes: {}, strictDirectoryNames: {} },
  });
  const changed = new Set(presets.flatMap((name) => Object.keys(presetMap.get(name).types)));
  const chosen = Object.values(effective.types).filter((type) => presets.length === 0 || changed.has(type.id));
  const all = new Set(chosen.flatMap((type) => paths(type, effective.types)));
  if (presets.length === 0) EXTRAS.forEach((path) => all.add(path));
  const tree = VirtualTreeContainer.fromFilePaths([...all]);
  const access = new RegistryAccess(effective);
  for (const path of [...all].sort()) {
    let answer;
    try {
      const components = new MetadataResolver(access, tree, false).getComponentsFromPath(path);
      answer = components.map((component) => `${component.type.name}:${component.fullName}`).join(' ') || '-';
    } catch (error) {
      if (error.name === 'TypeError') throw error;
      answer = '!';
    }
    console.log([presets.join(',') || '-', path, answer].join('\t'));
  }
}

console.log(`# @salesforce/source-deploy-retrieve ${require('@salesforce/source-deploy-retrieve/package.json').version}, ${Object.keys(registry.types).length} types; written by oracle.mjs`);
ask([]);
for (const name of [...presetMap.keys()].sort()) ask([name]);
