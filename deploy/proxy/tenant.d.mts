declare const route: {
  tenant(request: {
    readonly headersIn: Readonly<Record<string, string>>;
    readonly remoteAddress: string;
  }): string;
};
export default route;
