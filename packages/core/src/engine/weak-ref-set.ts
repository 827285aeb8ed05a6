/** Objects that may be collected while they are in it. Iterates in order of addition. */
export class WeakRefSet<Member extends object> implements Iterable<Member> {
  private refs: WeakRef<Member>[] = [];

  add(member: Member): void {
    this.refs.push(new WeakRef(member));
  }

  delete(member: Member): void {
    this.refs = this.refs.filter((ref) => ref.deref() !== member);
  }

  *[Symbol.iterator](): Generator<Member> {
    let areAllThere = true;
    for (const ref of this.refs) {
      const member = ref.deref();
      if (member === undefined) areAllThere = false;
      else yield member;
    }
    if (!areAllThere) this.refs = this.refs.filter((ref) => ref.deref() !== undefined);
  }
}
