// One API report per entry point; `--local` rewrites the reports, without it a change fails.
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';

const localBuild = process.argv.includes('--local');
let failed = false;
for (const entry of ['index', 'agents', 'testing']) {
  const config = ExtractorConfig.loadFileAndPrepare(`etc/${entry}.json`);
  const result = Extractor.invoke(config, { localBuild, showVerboseMessages: false });
  if (!result.succeeded || (result.apiReportChanged && !localBuild)) failed = true;
}
if (failed) {
  console.error(
    'The public API changed: run `npm run api:update`, look at the diff in etc/, commit it.',
  );
  process.exitCode = 1;
}
