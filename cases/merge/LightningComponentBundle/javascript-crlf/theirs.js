public class Sample {
    public void first() {
        run(1);
    }

    public void second() {
        run(20);
    }
}
