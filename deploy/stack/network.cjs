/** The functions' place in a network of one's own: lists between commas, none of them outside of any. */
module.exports = async ({ resolveVariable }) => {
  const subnetIds = await listed("subnets");
  const securityGroupIds = await listed("securityGroups");
  if ((subnetIds.length === 0) !== (securityGroupIds.length === 0)) {
    throw new Error("Parameters subnets and securityGroups go together: set both or neither.");
  }
  const routeTableIds = await listed("routeTables");
  if ((routeTableIds.length === 0) !== ((await listed("vpc")).length === 0)) {
    throw new Error("Parameters vpc and routeTables go together: set both or neither.");
  }
  return { routeTableIds, vpc: subnetIds.length === 0 ? null : { subnetIds, securityGroupIds } };

  async function listed(name) {
    const text = String(await resolveVariable(`param:${name}`));
    return text.split(/[\s,]+/).filter((each) => each !== "");
  }
};
