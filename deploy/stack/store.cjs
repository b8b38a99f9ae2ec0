/** Where in the bucket the site is: `preview/`, or nothing for all of it. */
module.exports = async ({ resolveVariable }) => {
  const prefix = String(await resolveVariable("param:sitePrefix"));
  return { folder: prefix === "" ? "" : `${prefix}/` };
};
